"""What differs between two requests that should say the same."""

import json
import urllib.parse

# They follow from the rest.
UNIMPORTANT = {"host", "content-length"}


def differences(theirs, ours):
    """Rows of (what, theirs, ours), for all that is not the same in both."""
    theirs, ours = _parts(theirs), _parts(ours)
    names = list(theirs) + [name for name in ours if name not in theirs]
    return [
        (name, theirs.get(name), ours.get(name))
        for name in names
        if theirs.get(name) != ours.get(name)
    ]


def _parts(request):
    """A request as one flat table of names and values."""
    parts = {"method": request["method"], "path": request["path"]}
    media_type = None
    for name, value in request["headers"]:
        name = name.lower()
        if name == "content-type":
            media_type = value.partition(";")[0].strip()
        if name not in UNIMPORTANT:
            parts[f"header {name}"] = value
    encoded = request["query"] if request["query"] is not None else request["body"]
    parts["fields in"] = "query" if request["query"] is not None else "body"
    if media_type == "application/json":
        parts.update(_flat("field ", json.loads(encoded)))
    else:
        fields = urllib.parse.parse_qsl(encoded, keep_blank_values=True, strict_parsing=True)
        parts.update({f"field {name}": value for name, value in fields})
    return parts


def _flat(prefix, value):
    """{"messages": [{"to": "1"}]} as "messages.0.to": "1"."""
    if isinstance(value, dict):
        children = value.items()
    elif isinstance(value, list):
        children = enumerate(value)
    else:
        return {prefix.rstrip("."): value}
    return {
        name: leaf
        for key, child in children
        for name, leaf in _flat(f"{prefix}{key}.", child).items()
    }
