"""What the planner may call, one module each; `TOOLS` is all of it.

No tool has a client id among its arguments: who asks comes with the `Caller`, which comes from the token.
"""

from beerforyou import prompts
from beerforyou.tools.analysis import run_analytical_query
from beerforyou.tools.profile import get_client_profile
from beerforyou.tools.search import search_breweries
from beerforyou.tools.summary import get_website_summary
from beerforyou.tools.tool import Tool, tool

TOOLS: dict[str, Tool] = {
    built.name: built
    for built in (
        tool(get_client_profile, "profile"),
        tool(run_analytical_query, "purchases", more=prompts.SQL),
        tool(search_breweries, "breweries"),
        tool(get_website_summary, "web", paid=True),
    )
}
