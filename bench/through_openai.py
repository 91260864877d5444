"""`beerforyou`, whose OpenAI is at BENCH_OPENAI_URL: no setting leads it elsewhere. The arguments are those of `beerforyou`."""

import os

from beerforyou.cli import main
from beerforyou.llm import providers

if __name__ == "__main__":
    providers.OPENAI_URL = os.environ["BENCH_OPENAI_URL"]
    main()
