"""Chromium without a window, driven over the WebDriver protocol by the standard library alone."""

import base64
import json
import shutil
import subprocess
import urllib.request

NEEDED = ["chromium", "chromedriver"]


def missing():
    """The programs that are not there."""
    return [name for name in NEEDED if shutil.which(name) is None]


class Browser:
    """A context manager: the browser ends with it."""

    def __enter__(self):
        self.driver = subprocess.Popen(["chromedriver", "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        for line in self.driver.stdout:
            if "successfully on port" in line:
                port = line.rsplit("port", 1)[1].strip(" .\n")
                break
        self.url = f"http://127.0.0.1:{port}/session"
        arguments = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"]
        options = {"goog:chromeOptions": {"args": arguments, "binary": shutil.which("chromium")}}
        self.url += "/" + self.call("", {"capabilities": {"alwaysMatch": options}})["sessionId"]
        return self

    def __exit__(self, *_):
        try:
            urllib.request.urlopen(urllib.request.Request(self.url, method="DELETE"), timeout=30)
        finally:
            self.driver.terminate()
            self.driver.wait(30)

    def call(self, path, body):
        request = urllib.request.Request(self.url + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=120) as answer:
            return json.load(answer)["value"]

    def devtools(self, command, **parameters):
        return self.call("/goog/cdp/execute", {"cmd": command, "params": parameters})

    def look(self, width, scheme):
        """As wide as this, in a light or dark surrounding."""
        self.devtools("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 600)
        self.devtools("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def open(self, url):
        self.call("/url", {"url": url})

    def run(self, script):
        """The value of a JavaScript function's body."""
        return self.call("/execute/sync", {"script": script, "args": []})

    def screenshot(self, path):
        data = self.devtools("Page.captureScreenshot", captureBeyondViewport=True)["data"]
        path.write_bytes(base64.b64decode(data))
