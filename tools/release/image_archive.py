"""image_archive.py FROM TO NAME: copies an image, without what is different each time.

What is left is what `docker load` reads: manifest.json, the settings, and the layers as they are.
"""

import hashlib
import io
import json
import sys
import tarfile

# The container in which the image was put together, its settings, and the builder.
CHANCE = ("container", "container_config", "docker_version")


def settings(text):
    image = json.loads(text)
    for name in CHANCE:
        image.pop(name, None)
    image["config"]["Hostname"] = ""
    image["config"]["Labels"].pop("io.buildah.version", None)
    return json.dumps(image, sort_keys=True).encode()


def add(archive, name, content):
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    entry.mode = 0o444
    archive.addfile(entry, io.BytesIO(content))


def main(source, destination, name):
    with tarfile.open(source) as old, tarfile.open(destination, "w", format=tarfile.USTAR_FORMAT) as new:
        (image,) = json.load(old.extractfile("manifest.json"))
        config = settings(old.extractfile(image["Config"]).read())
        image["RepoTags"] = [name]
        image["Config"] = hashlib.sha256(config).hexdigest() + ".json"
        add(new, "manifest.json", json.dumps([image], sort_keys=True).encode())
        add(new, image["Config"], config)
        for layer in image["Layers"]:
            add(new, layer, old.extractfile(layer).read())


main(*sys.argv[1:])
