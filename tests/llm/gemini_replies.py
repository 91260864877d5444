"""Replies in the shape that the Gemini API sends, one list of chunks each; a list of one is a whole reply."""

from typing import Any

SIGNATURE = "CpcBAXLI2nxSM+sQ/Kk7aA=="
USAGE = {"promptTokenCount": 812, "candidatesTokenCount": 25, "totalTokenCount": 837}


def chunk(*parts: dict[str, Any], finish: str = "", usage: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    candidate: dict[str, Any] = {"index": 0, **more}
    if parts:
        candidate["content"] = {"role": "model", "parts": list(parts)}
    if finish:
        candidate["finishReason"] = finish
    return {
        "candidates": [candidate],
        "usageMetadata": USAGE if usage is None else usage,
        "modelVersion": "gemini-2.5-flash",
        "responseId": "8Gr1aMvNNJ-7",
    }


def text(words: str, **more: Any) -> dict[str, Any]:
    return {"text": words, **more}


def call(name: str, args: dict[str, Any], call_id: str = "", **more: Any) -> dict[str, Any]:
    return {"functionCall": {"name": name, "args": args, **({"id": call_id} if call_id else {})}, **more}


SAN_DIEGO = {"city": "San Diego", "only_new": True, "limit": 5, "radius": 1.5, "near": None, "types": ["micro"]}
GROUNDING = {
    "webSearchQueries": ["Ficha Brewing San Diego"],
    "searchEntryPoint": {"renderedContent": "<div>a search box</div>"},
    "groundingChunks": [
        {"web": {"uri": "https://ficha.example/about", "title": "ficha.example"}},
        {"web": {"uri": "https://news.example/ficha", "title": "news.example"}},
        {"web": {"uri": "https://ficha.example/about", "title": "ficha.example"}},
    ],
    "groundingSupports": [
        {"segment": {"endIndex": 13, "text": "Ficha Brewing"}, "groundingChunkIndices": [0, 1, 2]},
    ],
}
THINKING = {
    "promptTokenCount": 1500,
    "candidatesTokenCount": 40,
    "totalTokenCount": 1675,
    "cachedContentTokenCount": 1024,
    "thoughtsTokenCount": 135,
    "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 1500}],
    "cacheTokensDetails": [{"modality": "TEXT", "tokenCount": 1024}],
}
SEARCHED = {
    "promptTokenCount": 60,
    "candidatesTokenCount": 33,
    "toolUsePromptTokenCount": 410,
    "thoughtsTokenCount": 7,
    "totalTokenCount": 510,
}
RATINGS = [{"category": "HARM_CATEGORY_HARASSMENT", "probability": "HIGH", "blocked": True}]

REPLIES: dict[str, list[dict[str, Any]]] = {
    "text": [chunk(text("Achei três cervejarias 🍺 em San Diego."), finish="STOP")],
    "text in two parts": [chunk(text("Achei "), text("três."), finish="STOP")],
    "a call without id": [chunk(call("search_breweries", SAN_DIEGO), finish="STOP")],
    "a call with id": [chunk(call("search_breweries", SAN_DIEGO, "kq2x81"), finish="STOP")],
    "a call without arguments": [chunk({"functionCall": {"name": "get_client_profile"}}, finish="STOP")],
    "an unknown function": [chunk(call("rm_rf", {"path": {"deep": [1, [2]]}}), finish="STOP")],
    "text and a signed call": [
        chunk(text("Vou ver."), call("get_client_profile", {}, thoughtSignature=SIGNATURE), finish="STOP")
    ],
    "parallel calls": [
        chunk(
            call("search_breweries", {"city": "Austin"}, "a1", thoughtSignature=SIGNATURE),
            call("search_breweries", {"city": "Dallas"}, "a2"),
            call("get_client_profile", {}, "a3"),
            finish="STOP",
        )
    ],
    "thoughts": [
        chunk(text("The client wants...", thought=True), text("Três.", thoughtSignature=SIGNATURE), finish="STOP",
              usage=THINKING)
    ],
    "tokens ran out": [chunk(text("Achei três cerv"), finish="MAX_TOKENS")],
    "thoughts took all tokens": [chunk(finish="MAX_TOKENS", usage=THINKING)],
    "no content at all": [chunk(finish="STOP")],
    "an empty part": [chunk(text(""), finish="STOP")],
    "blocked reply": [chunk(finish="SAFETY", safetyRatings=RATINGS)],
    "blocked in the middle": [chunk(text("Era uma vez"), finish="PROHIBITED_CONTENT")],
    "recitation": [chunk(finish="RECITATION")],
    "personal data": [chunk(finish="SPII")],
    "a word on a list": [chunk(finish="BLOCKLIST")],
    "malformed call": [chunk(finish="MALFORMED_FUNCTION_CALL", finishMessage="Malformed function call: print(")],
    "unexpected call": [chunk(finish="UNEXPECTED_TOOL_CALL")],
    "blocked prompt": [
        {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT", "safetyRatings": RATINGS},
         "usageMetadata": {"promptTokenCount": 9, "totalTokenCount": 9}, "modelVersion": "gemini-2.5-flash"}
    ],
    "no candidates": [{"usageMetadata": {"promptTokenCount": 9, "totalTokenCount": 9}, "modelVersion": "gemini-2.5-flash"}],
    "no usage": [{"candidates": [{"content": {"role": "model", "parts": [{"text": "Oi"}]}, "finishReason": "STOP"}]}],
    "nulls, as a gateway may write them": [
        {"candidates": [{"content": {"role": "model", "parts": None}, "finishReason": "STOP", "groundingMetadata": None}],
         "promptFeedback": None, "usageMetadata": {"promptTokenCount": 3, "thoughtsTokenCount": None}, "error": None}
    ],
    "a reason nobody knows": [chunk(text("Oi"), finish="SOMETHING_NEW")],
    "grounded": [
        chunk(text("Ficha Brewing abriu em 2019."), finish="STOP", usage=SEARCHED, groundingMetadata=GROUNDING)
    ],
    "a stream of words": [
        chunk(text("Achei "), usage={"promptTokenCount": 812, "totalTokenCount": 812}),
        chunk(text("três "), usage={"promptTokenCount": 812, "candidatesTokenCount": 2, "totalTokenCount": 814}),
        chunk(text("cervejarias."), finish="STOP"),
    ],
    "a stream that thinks": [
        chunk(text("Let me see.", thought=True), usage={"promptTokenCount": 1500, "thoughtsTokenCount": 100,
                                                        "cachedContentTokenCount": 1024}),
        chunk(text("Três"), usage={"promptTokenCount": 1500, "thoughtsTokenCount": 135, "candidatesTokenCount": 9}),
        chunk(text(" delas.", thoughtSignature=SIGNATURE), usage=THINKING),
        chunk(text(""), finish="STOP", usage=THINKING),
    ],
    "a stream whose last count leaves something out": [
        chunk(text("Oi, "), usage={"promptTokenCount": 900, "cachedContentTokenCount": 512}),
        chunk(text("tudo bem?"), finish="STOP", usage={"promptTokenCount": 900, "candidatesTokenCount": 6}),
    ],
    "a stream signed at the end": [
        chunk(text("Oi, ")),
        chunk(text("tudo bem?")),
        chunk(text("", thoughtSignature=SIGNATURE), finish="STOP"),
    ],
    "a stream with a call last": [
        chunk(text("Vou ")),
        chunk(text("procurar.")),
        chunk(call("search_breweries", SAN_DIEGO, thoughtSignature=SIGNATURE), finish="STOP"),
    ],
    "a stream with calls in earlier chunks": [
        chunk(call("search_breweries", {"city": "Austin"}, "b1", thoughtSignature=SIGNATURE)),
        chunk(call("search_breweries", {"city": "Dallas"}, "b2")),
        chunk(text("Duas buscas.")),
        chunk(finish="STOP"),
    ],
    "a stream that ran out": [chunk(text("Achei ")), chunk(text("tr"), finish="MAX_TOKENS")],
    "a stream blocked later": [chunk(text("Era ")), chunk(finish="SAFETY", safetyRatings=RATINGS)],
    "a grounded stream": [
        chunk(text("Ficha Brewing "), usage={"promptTokenCount": 60}),
        chunk(text("abriu em 2019."), usage=SEARCHED),
        chunk(finish="STOP", usage=SEARCHED, groundingMetadata=GROUNDING),
    ],
}  # fmt: skip
