"""What is in a page that minigrad.viz wrote."""

import base64
import json
import re
import zlib


def data_of(html):
    """The data that the page's script draws."""
    kind, text = re.search(r'<script id="data" type="application/(\w+)">(.*?)</script>', html, re.DOTALL).groups()
    return json.loads(text if kind == "json" else zlib.decompress(base64.b64decode(text)))
