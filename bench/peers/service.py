"""The peer: FastAPI, LangGraph and its PostgreSQL checkpointer, written as plainly as somebody would who knows them.

    PEER_DATABASE=... PEER_MODEL=... PEER_SECRET=... python -m bench.peers.service

It speaks as much of the product's HTTP as the load generator needs, and prints its address once it serves.
"""

import gc
import json
import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any
from uuid import UUID, uuid4

import jwt
import uvicorn
from fastapi import Depends, FastAPI, HTTPException
from fastapi.responses import StreamingResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from langchain_core.messages import HumanMessage, SystemMessage, ToolMessage
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import tool
from langchain_google_genai import ChatGoogleGenerativeAI
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool
from pydantic import BaseModel

from bench.peers.plain import MOST_ROWS, PROFILE, SEARCH, SYSTEM, frame, mine

POOL = int(os.environ.get("PEER_POOL", "20"))
DURABILITY: Any = os.environ.get("PEER_DURABILITY", "async")  # LangGraph's default: a checkpoint a step
DATABASE = os.environ["PEER_DATABASE"]
READ_ONLY = "-c default_transaction_read_only=on -c statement_timeout=5000"


def pool(**options: str) -> AsyncConnectionPool[Any]:
    kwargs = {"autocommit": True, "prepare_threshold": 0, "row_factory": dict_row, **options}
    return AsyncConnectionPool(DATABASE, min_size=POOL, max_size=POOL, open=False, timeout=600, kwargs=kwargs)


keeping, reading = pool(), pool(options=READ_ONLY)


async def rows(sql: str, config: RunnableConfig, prepare: bool | None = None, **values: Any) -> list[dict[str, Any]]:
    values["client"] = config["configurable"]["client"]
    async with reading.connection() as connection:
        return await (await connection.execute(sql, values, prepare=prepare)).fetchmany(MOST_ROWS)


@tool
async def get_client_profile(config: RunnableConfig) -> str:
    """The caller's own profile: place, what they buy most, and the breweries that they ever bought from."""
    return (await rows(PROFILE, config))[0]["data"]


@tool
async def search_breweries(city: str, config: RunnableConfig, only_new: bool = False) -> str:
    """Breweries of a city, at most five. only_new leaves out what the caller already buys: use it to recommend."""
    return json.dumps(await rows(SEARCH, config, city=city, only_new=only_new), ensure_ascii=False)


@tool
async def run_sql(sql: str, config: RunnableConfig) -> str:
    """The caller's purchases. sql is one SELECT over my_purchases."""
    return json.dumps(await rows(mine(sql), config, prepare=False), default=str, ensure_ascii=False)


TOOLS = [get_client_profile, search_breweries, run_sql]
SYSTEM_MESSAGE = SystemMessage(SYSTEM)


def agent(checkpointer: AsyncPostgresSaver) -> Any:
    asked = ChatGoogleGenerativeAI(
        model="gemini-2.5-flash",
        base_url=os.environ["PEER_MODEL"],
        api_key="simulated",
        disable_streaming=not os.environ["PEER_STREAMS"],
    )
    model = asked.bind_tools(TOOLS)

    async def think(state: MessagesState) -> dict[str, Any]:
        return {"messages": [await model.ainvoke([SYSTEM_MESSAGE, *state["messages"]])]}

    graph = StateGraph(MessagesState)
    graph.add_node("think", think)
    graph.add_node("tools", ToolNode(TOOLS, handle_tool_errors=True))
    graph.add_edge(START, "think")
    graph.add_conditional_edges("think", tools_condition)
    graph.add_edge("tools", "think")
    return graph.compile(checkpointer=checkpointer)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with keeping, reading:
        checkpointer = AsyncPostgresSaver(keeping)
        await checkpointer.setup()
        app.state.agent = agent(checkpointer)
        gc.freeze()
        gc.set_threshold(50_000)
        print(app.state.url, flush=True)
        print("Serving;", file=sys.stderr, flush=True)
        yield


app = FastAPI(lifespan=lifespan)


class Asked(BaseModel):
    message: str
    conversation_id: UUID | None = None


async def client(bearer: Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())]) -> str:
    try:
        return jwt.decode(
            bearer.credentials, os.environ["PEER_SECRET"], ["HS256"], audience="beerforyou", issuer="beerforyou"
        )["sub"]
    except jwt.InvalidTokenError as error:
        raise HTTPException(401, str(error)) from error


@app.post("/v1/runs")
async def ask(asked: Asked, client: Annotated[str, Depends(client)]) -> StreamingResponse:
    return StreamingResponse(
        told(client, asked.conversation_id or uuid4(), asked.message), media_type="text/event-stream"
    )


async def told(client: str, conversation: UUID, message: str) -> AsyncIterator[str]:
    yield frame("accepted", {"run_id": str(uuid4()), "conversation_id": str(conversation)})
    config = {"configurable": {"thread_id": f"{client}:{conversation}", "client": client}}
    pieces = app.state.agent.astream(
        {"messages": [HumanMessage(message)]}, config, stream_mode="messages", durability=DURABILITY
    )
    async for piece, _ in pieces:
        if isinstance(piece, ToolMessage):
            yield frame("tool_finished", {"name": piece.name, "ok": piece.status != "error"})
        elif piece.text:
            yield frame("text", {"text": piece.text})
    yield frame("finished", {"outcome": "answered"})


def main() -> None:
    listening = socket.create_server(("127.0.0.1", 0), backlog=4096)
    app.state.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    config = uvicorn.Config(app, loop="uvloop", http="httptools", log_level="warning", access_log=False, backlog=4096)
    uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    main()
