"""Open Brewery DB: sync into the database, an in-process index per worker, matching of names, ranking.

The catalogue is public data: nothing in this room reads a client's; the ranking is told a taste. Start in `index.py`.
"""
