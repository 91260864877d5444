"""BeerForYou: an assistant for the people who buy beer for a living.

Start reading at `answering/pipeline.py`: it is the product on one screen.
"""

__version__ = "0.1.0"
