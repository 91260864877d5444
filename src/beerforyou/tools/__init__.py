"""What the planner may call, one module each; `TOOLS` is all of it. What a tool is stands in tool.py, who asks in caller.py."""

from beerforyou import prompts
from beerforyou.tools import analysis, profile, search, sql, summary
from beerforyou.tools.tool import Tool, tool

# Rarely asked, and what is in a schema small models fill in: the reading uses them, and SQL can say the same.
RARE = ("unit", "having_days", "bound", "only_order")
TOOLS: dict[str, Tool] = {
    built.name: built
    for built in (
        tool(profile.get_client_profile, profile.reads, "profile"),
        tool(analysis.run_analytical_query, analysis.reads, "purchases", hidden=RARE),
        tool(sql.run_sql, sql.reads, "purchases", more=prompts.SQL),
        tool(search.search_breweries, search.reads, "breweries", hidden=("skip", "in_home", "not_home")),
        tool(summary.get_website_summary, summary.reads, "web", paid=True),
    )
}
