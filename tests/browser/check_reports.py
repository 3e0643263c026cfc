"""The pages of --report in a browser: check_reports.py ALEXNET SOURCE [SCREENSHOTS].

Makes pages of photographs with hostile names and labels, and looks at each in light and dark, wide and narrow: nothing runs or is
fetched, nothing overlaps or sticks out, text has contrast. Ends with 77 where Chromium is absent.
"""

import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import zipfile

from browser import Browser, missing

HOSTILE = "\"><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">&amp;'"
PICTURES = [("coffee.jpg", "espresso"), ("rocket.jpg", "obelisk"), ("chelsea.jpg", "tabby"), ("astronaut.jpg", "academic gown")]

# What can be seen to be wrong, as a list of sentences.
FAULTS = r"""
const faults = [];
const wide = document.documentElement.clientWidth;
const say = (what, element) => faults.push(what + ': ' + (element.outerHTML || '').slice(0, 160));
if (document.documentElement.scrollWidth > wide) faults.push('scrolls sideways: ' + document.documentElement.scrollWidth + ' of ' + wide);
for (const e of document.querySelectorAll('script, link, iframe, object, embed, form, base')) say('not wanted', e);
for (const e of document.querySelectorAll('*')) {
  for (const a of e.attributes) {
    if (a.name.startsWith('on')) say('would run', e);
    if (['src', 'href', 'xlink:href'].includes(a.name) && !a.value.startsWith('data:image/png;base64,')) say('would fetch', e);
  }
}
for (const e of document.images) if (!e.naturalWidth) say('a broken picture', e);
for (const e of document.images) if (!e.alt) say('no text instead of a picture', e);
for (const e of document.querySelectorAll('svg[role=img]')) if (!e.getAttribute('aria-label')) say('no title', e);
if (performance.getEntriesByType('resource').length) faults.push('something was fetched');
const visible = e => e.checkVisibility() && e.textContent.trim();
for (const svg of document.querySelectorAll('svg')) {
  const texts = [...svg.querySelectorAll('text')].filter(visible).map(e => [e, e.getBoundingClientRect()]);
  texts.forEach(([e, a], i) => {
    if (a.left < -0.5 || a.right > wide + 0.5) say('sticks out', e);
    for (const [f, b] of texts.slice(i + 1)) {
      if (a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 2 && b.top < a.bottom - 2) say('overlaps ' + f.textContent, e);
    }
  });
}
for (const e of document.querySelectorAll('h1, h2, h3, p, td, th, b, span, li, dt, dd, pre, figcaption, summary')) {
  if (!visible(e)) continue;
  const box = e.getBoundingClientRect();
  if (box.right > wide + 0.5) say('sticks out', e);
  if (e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display != 'inline') say('is cut', e);
}
// WCAG 2.1, contrast of at least 4.5 to 1.
const parse = text => text.match(/[\d.]+/g).map(Number);
const light = ([r, g, b]) => { const f = v => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; };
  return 0.2126 * f(r) + 0.7152 * f(g) + 0.0722 * f(b); };
const ground = e => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor); if (c.length == 3 || c[3] == 1) return c; }
  return [255, 255, 255]; };
for (const e of document.querySelectorAll('h1, h2, p, td, th, b, span, li, dt, dd, pre, figcaption, text')) {
  if (!visible(e)) continue;
  const style = getComputedStyle(e);
  const [a, b] = [light(parse(e.tagName == 'text' ? style.fill : style.color)), light(ground(e))].sort((x, y) => y - x);
  if ((a + 0.05) / (b + 0.05) < 4.5) say('faint ' + ((a + 0.05) / (b + 0.05)).toFixed(2), e);
}
return [...new Set(faults)].slice(0, 20);
"""


def alexnet(binary, folder, *arguments):
    """A page; the exit code tells of the broken picture."""
    result = subprocess.run([binary, *arguments], cwd=folder, capture_output=True, text=True, check=False)
    assert result.returncode in (0, 1, 4), (arguments, result.returncode, result.stderr)


def evaluation_page(binary, source, folder):
    rows = ["path,label"]
    for i, (name, label) in enumerate(PICTURES):
        copied = f"{i} {HOSTILE.replace('/', '|')}{name[-4:]}"
        shutil.copy(source / "data" / name, folder / copied)
        rows.append(f'"{copied.replace(chr(34), chr(34) * 2)}",{label}')
    (folder / "broken <b>.jpg").write_bytes(b"no picture")
    rows.append("broken <b>.jpg,0")
    (folder / "list.csv").write_text("\n".join(rows) + "\n")
    model = json.loads(subprocess.run([binary, "inspect", "--json"], capture_output=True, text=True, check=True).stdout)
    labels = [f"{one['id']}\t{one['label']}" for one in model["labels"]]
    hostile = [line + HOSTILE + ", obelisk" if "obelisk" in line else line for line in labels]
    (folder / "labels.txt").write_text("\n".join(hostile) + "\n")
    alexnet(binary, folder, "evaluate", "-q", "-o", "ten.jsonl", "--crops", "10", "--labels", "labels.txt", "list.csv")
    alexnet(binary, folder, "evaluate", "-q", "--against", "ten.jsonl", "--labels", "labels.txt", "--report", "evaluate.html", "list.csv")
    return folder / "evaluate.html"


def spoil(archive, names):
    """Moves every value of these arrays to the place before it."""
    with zipfile.ZipFile(archive) as old:
        members = {name: old.read(name) for name in old.namelist()}
    with zipfile.ZipFile(archive, "w") as new:
        for name, data in members.items():
            begin = 10 + int.from_bytes(data[8:10], "little")  # the .npy header (version 1.0)
            if name.removesuffix(".npy") in names:
                data = data[:begin] + data[begin + 4 :] + data[begin : begin + 4]
            new.writestr(name, data)


def comparison_page(binary, source, folder):
    """Against the engine's own values, of which one layer and the answers are spoilt."""
    (folder / "pictures").mkdir()
    for i, (name, _) in enumerate(PICTURES):
        shutil.copy(source / "data" / name, folder / "pictures" / f"{i} {HOSTILE.replace('/', '|')}{name[-4:]}")
    layers = "data,conv1,norm1,pool1,conv2,conv3,conv4,pool5,fc6,fc7,fc8,prob"
    alexnet(binary, folder, "features", "-q", "--layer", layers, "-o", "dump.npz", "pictures")
    spoil(folder / "dump.npz", ["conv3", "fc8", "prob"])
    alexnet(binary, folder, "compare", "-q", "--reference", "dump.npz", "--report", "compare.html")
    return folder / "compare.html"


def add_files(archive, files):
    """The pictures themselves, so that what is done to them first is compared, too (docs/reference-dump.md)."""
    with zipfile.ZipFile(archive, "a") as dump:
        for i, file in enumerate(files):
            data = file.read_bytes()
            header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({len(data)},)}}".ljust(117) + "\n"
            dump.writestr(f"images/{i}.npy", b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + data)


def diagnosis_page(binary, source, folder):
    """Against the engine's own values for pictures whose channels stand the other way round."""
    (folder / "turned").mkdir()
    for name, _ in PICTURES:
        shutil.copy(source / "data" / name, folder / "turned" / name)
    model = json.loads(subprocess.run([binary, "inspect", "--json"], capture_output=True, text=True, check=True).stdout)
    steps = [{"step": "channels", "order": "bgr"}, *model["preprocessing"]]
    (folder / "steps.json").write_text(json.dumps(steps))
    layers = "data,conv1,norm1,pool1,fc8,prob"
    alexnet(binary, folder, "features", "-q", "--preprocess", "steps.json", "--layer", layers, "-o", "turned.npz", "turned")
    add_files(folder / "turned.npz", sorted((folder / "turned").iterdir()))
    alexnet(binary, folder, "compare", "-q", "--diagnose", "--reference", "turned.npz", "--report", "diagnosis.html")
    return folder / "diagnosis.html"


PAGES = {
    comparison_page: {
        "title": "Does it compute the same?",
        "sections": ["Where errors arise", "Scores side by side", "Where they differ", "Where this comes from"],
    },
    diagnosis_page: {
        "title": "Does it compute the same?",
        "sections": ["Where errors arise", "Diagnosis", "Where this comes from"],
    },
    evaluation_page: {
        "title": "How often the network is right",
        "sections": ["How right, and how sure", "What it confuses", "Its most confident mistakes", "Pictures that could not be used"],
    },
}


def check(browser, page, expected, shots):
    faults = []
    for width in (1280, 400):
        for scheme in ("light", "dark"):
            browser.look(width, scheme)
            browser.open(page.as_uri())
            found = browser.run(FAULTS)
            title, sections = browser.run("return [document.title, [...document.querySelectorAll('h2')].map(e => e.textContent)]")
            if title != expected["title"]:
                found.append(f"the title is {title}")
            found += [f"no section {name}" for name in expected["sections"] if name not in sections]
            faults += [f"{page.name}, {width} wide, {scheme}: {fault}" for fault in found]
            if shots:
                browser.screenshot(shots / f"{page.stem}-{width}-{scheme}.png")
    return faults


def main():
    binary, source = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
    shots = pathlib.Path(sys.argv[3]) if len(sys.argv) > 3 else None
    if missing():
        print("skipped: needs", " and ".join(missing()), "(Debian: chromium, chromium-driver)")
        return 77
    if shots:
        shots.mkdir(parents=True, exist_ok=True)
    faults = []
    with tempfile.TemporaryDirectory() as name, Browser() as browser:
        for make, expected in PAGES.items():
            faults += check(browser, make(binary, source, pathlib.Path(name)), expected, shots)
    print("\n".join(faults) if faults else "nothing wrong")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
