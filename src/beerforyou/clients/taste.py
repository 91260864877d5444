"""What a profile says to the ranking of recommendations."""

from beerforyou.catalogue.ranking import Taste
from beerforyou.clients.profiles import Profile


def taste(profile: Profile | None) -> Taste:
    """Nobody's taste for a client without a profile: everything is new to them."""
    if profile is None:
        return Taste()
    return Taste(
        types={share.name: share.share for share in profile.types},
        bought=profile.brewery_ids,
        other_cities=frozenset(b.city for b in profile.history if b.city and not b.brewery_id),
    )
