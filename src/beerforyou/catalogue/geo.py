"""Where breweries are: distances, what lies around a point, and coordinates that the source has wrong."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import acos, asin, atan2, cos, degrees, floor, pi, radians, sin, sqrt
from statistics import median

import msgspec

from beerforyou.catalogue.brewery import Brewery

Point = tuple[float, float]  # latitude, longitude in degrees

EARTH_KM = 6371.0088  # mean radius, IUGG
KM_PER_DEGREE = 111.19

# South, north, west, east: a little more than the country (islands included), in degrees.
_BOXES: dict[str, tuple[float, float, float, float]] = {
    "Australia": (-55.5, -9.0, 96.0, 168.5),
    "Austria": (46.2, 49.2, 9.4, 17.3),
    "Belgium": (49.4, 51.6, 2.4, 6.5),
    "Brazil": (-34.0, 5.5, -74.5, -28.5),
    "Canada": (41.5, 83.5, -141.5, -52.0),
    "Czechia": (48.4, 51.2, 12.0, 19.0),
    "Denmark": (54.4, 57.9, 7.9, 15.4),
    "England": (49.7, 56.0, -6.6, 2.0),
    "Finland": (59.5, 70.2, 19.0, 31.7),
    "France": (41.2, 51.3, -5.4, 9.8),
    "Germany": (47.1, 55.2, 5.7, 15.2),
    "Ireland": (51.2, 55.6, -10.9, -5.8),
    "Isle of Man": (53.9, 54.6, -4.9, -4.2),
    "Italy": (35.3, 47.2, 6.5, 18.7),
    "Japan": (20.2, 45.8, 122.7, 154.2),
    "Mexico": (14.3, 32.9, -118.6, -86.5),
    "Netherlands": (50.6, 53.7, 3.2, 7.4),
    "New Zealand": (-53.0, -28.8, 165.5, 179.5),
    "Norway": (57.7, 71.4, 4.2, 31.3),
    "Poland": (48.9, 55.0, 14.0, 24.3),
    "Portugal": (29.9, 42.3, -31.5, -6.0),
    "Scotland": (54.5, 61.0, -9.0, -0.6),
    "Singapore": (1.1, 1.6, 103.5, 104.5),
    "South Africa": (-35.0, -22.0, 16.3, 33.1),
    "South Korea": (32.9, 38.8, 124.4, 132.1),
    "Spain": (27.4, 44.0, -18.4, 4.6),
    "Sweden": (55.1, 69.2, 10.8, 24.4),
    "Switzerland": (45.7, 47.9, 5.8, 10.6),
    "Ukraine": (44.2, 52.5, 22.0, 40.4),
    "United States": (18.5, 71.6, -180.0, -66.5),
    "Wales": (51.3, 53.6, -5.8, -2.6),
}
_WORLD = (-90.0, 90.0, -180.0, 180.0)


def repaired(brewery: Brewery) -> Brewery:
    """The brewery with coordinates inside its country: swapped back, a lost sign restored, or none at all.

    A point outside the country is known to be wrong, and no point is better than a wrong one.
    """
    if brewery.latitude is None or brewery.longitude is None:
        return brewery if brewery.latitude is brewery.longitude else _moved(brewery, None)
    lat, lon = brewery.latitude, brewery.longitude
    south, north, west, east = _BOXES.get(brewery.country, _WORLD)
    for point in ((lat, lon), (lon, lat), (lat, -lon), (-lat, lon)):
        if south <= point[0] <= north and west <= point[1] <= east:
            return brewery if point == (lat, lon) else _moved(brewery, point)
    return _moved(brewery, None)


def _moved(brewery: Brewery, point: Point | None) -> Brewery:
    latitude, longitude = point or (None, None)
    return msgspec.structs.replace(brewery, latitude=latitude, longitude=longitude)


def middle(points: Iterable[Point]) -> Point | None:
    """The median point: one brewery with a wrong place doesn't move it."""
    latitudes, longitudes = zip(*points, strict=True) if (points := list(points)) else ((), ())
    return (median(latitudes), median(longitudes)) if latitudes else None


def distance_km(a: Point, b: Point) -> float:
    return km(cosine(unit(a), unit(b)))


Vector = tuple[float, float, float]


def unit(point: Point) -> Vector:
    lat, lon = radians(point[0]), radians(point[1])
    return cos(lat) * cos(lon), cos(lat) * sin(lon), sin(lat)


def cosine(a: Vector, b: Vector) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def km(cosine_of_angle: float) -> float:
    return EARTH_KM * acos(min(1.0, max(-1.0, cosine_of_angle)))


def chord_km(a: Vector, b: Vector) -> float:
    """Straight through the earth: a thousandth short at 1,000 km, and cheaper than `km`. For putting in order."""
    return EARTH_KM * sqrt(max(0.0, 2.0 - 2.0 * cosine(a, b)))


@dataclass(init=False, eq=False, repr=False)
class Grid:
    """Points in cells of one degree, so that a search around a point looks at its neighbours alone."""

    _cells: dict[tuple[int, int], list[tuple[int, float, float, float]]]

    def __init__(self, vectors: Iterable[tuple[int, Vector]]) -> None:
        self._cells = {}
        for index, (x, y, z) in vectors:
            cell = floor(degrees(asin(z))), (floor(degrees(atan2(y, x))) + 180) % 360 - 180
            self._cells.setdefault(cell, []).append((index, x, y, z))

    def within(self, center: Point, radius_km: float) -> list[int]:
        """Indexes of the points at most so far away, the nearest first."""
        x, y, z = unit(center)
        # The cosine of the angle stands for the distance; negated, the nearest sorts first.
        most = -cos(min(radius_km / EARTH_KM, pi))
        cells = self._around(center, radius_km)
        near = [(d, i) for cell in cells for i, a, b, c in cell if (d := -(x * a + y * b + z * c)) <= most]
        near.sort()
        return [i for _, i in near]

    def _around(self, center: Point, radius_km: float) -> Iterable[list[tuple[int, float, float, float]]]:
        south, north = (floor(center[0] + sign * radius_km / KM_PER_DEGREE) for sign in (-1, 1))
        widest = max(abs(south), abs(north + 1))
        if widest >= 89 or (reach := radius_km / (KM_PER_DEGREE * cos(radians(widest)))) >= 180:
            return self._cells.values()
        west, east = floor(center[1] - reach), floor(center[1] + reach)
        if (north - south + 1) * (east - west + 1) > len(self._cells):
            return self._cells.values()
        columns = {(lon + 180) % 360 - 180 for lon in range(west, east + 1)}
        return [
            self._cells[lat, lon] for lat in range(south, north + 1) for lon in columns if (lat, lon) in self._cells
        ]
