"""HTTP in, HTTP out: one file per resource and no business rule. `app.py` lists the routes."""
