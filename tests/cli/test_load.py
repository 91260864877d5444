"""`beerforyou load`: all or nothing, every bad row by its line, profiles at the end."""

import json
from pathlib import Path

from beerforyou.settings import Settings
from tests.cli.program import call

CLIENTS = "client_id,name,city,state,country,postal_code,language\nCLT-1,Bar do Zé,San Diego,California,United States,92101,pt\n"
PURCHASES = "purchase_id,client_id,purchased_on,beer,style,brewery,brewery_city,brewery_state,quantity,unit_price\n"
GOOD = "P-1,CLT-1,2026-01-02,Hop Song,IPA,Nobody's Brewery,San Diego,California,12,7.50\n"
BAD = "P-2,CLT-1,2026-01-02,Hop Song,IPA,Nobody's Brewery,San Diego,California,-3,7.50\n"


def files(folder: Path, purchases: str) -> list[str]:
    (folder / "clients.csv").write_text(CLIENTS)
    (folder / "purchases.csv").write_text(PURCHASES + purchases)
    return [str(folder / "clients.csv"), str(folder / "purchases.csv")]


async def test_good_files_are_loaded_and_profiled(settings: Settings, tmp_path: Path) -> None:
    result = await call("load", *files(tmp_path, GOOD), "--json", settings=settings)
    assert result.code == 0, result.err
    assert json.loads(result.out)["purchases"] == 1
    answer = await call("quem sou eu?", "--as", "CLT-1", settings=settings)
    assert "Bar do Zé" in answer.out and "12" in answer.out


async def test_one_bad_row_keeps_everything_out(settings: Settings, tmp_path: Path) -> None:
    result = await call("load", *files(tmp_path, GOOD + BAD), settings=settings)
    assert result.code == 1
    assert "purchases.csv:3" in result.err and "quantity" in result.err
    assert (await call("oi", "--as", "CLT-1", settings=settings)).code == 1


async def test_bad_rows_may_be_skipped(settings: Settings, tmp_path: Path) -> None:
    result = await call("load", *files(tmp_path, GOOD + BAD), "--skip-bad", settings=settings)
    assert result.code == 0
    assert result.out == "1 clients, 1 purchases, 1 bad rows\n"
    assert "purchases.csv:3" in result.err
