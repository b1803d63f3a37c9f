"""Examples: one answer of each kind, for the OpenAPI description."""

from typing import Any

from pydantic import ConfigDict

Example = dict[str, Any]


def shown(example: Example) -> Example:
    """What a model's configuration takes for its schema."""
    return {"examples": [example]}


def asked(example: Example) -> ConfigDict:
    """The configuration of a body, with an example for its schema."""
    return ConfigDict(extra="forbid", json_schema_extra=shown(example))


#: What many of them have in common.
NETWORK = "efficientnet-lite0"
FROM_NETWORK: Example = {
    "model": NETWORK,
    "weights": "…",
    "definition": "",
    "trained": True,
    "weights_sha256": "…",
}
FROM_IMAGE: Example = {**FROM_NETWORK, "image": "chelsea", "crop": [94.0, 18.0, 357.0, 282.0]}
TABBY: Example = {"class": 281, "label": "tabby", "probability": 0.42}
SIGNED: Example = {"mode": "layer", "low": -15.5, "high": 15.5, "sided": "signed"}
BLUE_RED: Example = {"name": "vik", "stops": ["#001261", "#eceaea", "#590008"]}
GRAYS: Example = {"name": "gray", "stops": ["#000000", "#ffffff"]}


FAILURE: Example = {"error": {"code": "unknown_image", "message": "This picture is not here."}}
MODELS: Example = {
    "models": [
        {
            "name": "efficientnet-lite0",
            "title": "EfficientNet-Lite0",
            "status": "ready",
            "input_size": [3, 224, 224],
            "parameters": 4652008,
            "classes": 1000,
            "url": "…/efficientnet-lite0",
            "note": "",
            "untrained_url": None,
        }
    ]
}
LAYER_OF_MODEL: Example = {
    "name": "conv_stem",
    "kind": "convolution",
    "shape": [32, 112, 112],
    "parameters": 864,
    "multiply_adds": 10838016,
    "receptive_field": 3,
    "stride": 2,
    "inputs": [],
    "block": "",
    "field": {"start": [0, 0], "size": [3, 3], "jump": [2, 2], "whole": False},
    "given": [3, 224, 224],
    "window": {
        "kernel": [3, 3],
        "stride": [2, 2],
        "front": [0, 0],
        "back": [1, 1],
        "dilation": [1, 1],
        "groups": 1,
        "bias": False,
        "ceil": False,
    },
    "url": "…/layers/conv_stem",
}
LAYER: Example = {
    **LAYER_OF_MODEL,
    "arithmetic": [
        {
            "about": "parameters",
            "terms": ["3 · 3 · 3 · 32"],
            "total": 864,
            "note": "plain",
            "extra": 1,
        }
    ],
}
MODEL: Example = {
    "name": "efficientnet-lite0",
    "title": "EfficientNet-Lite0",
    "paper": "https://arxiv.org/abs/1905.11946",
    "input_size": [3, 224, 224],
    "preprocessing": {
        "resize": 256,
        "crop": 224,
        "interpolation": "bicubic",
        "channels": "RGB",
        "range": 255.0,
        "mean": [127.0, 127.0, 127.0],
        "std": [128.0, 128.0, 128.0],
        "fit": "crop",
        "text": "Shorter side to 256 pixels (bicubic), …",
    },
    "parameters": 4652008,
    "multiply_adds": 385187552,
    "weights": {"source": "package:…", "part": None, "prefix": None, "sha256": "…"},
    "definition": "",
    "trained": True,
    "classes": 1000,
    "labels": ["tench"],
    "layers": [LAYER_OF_MODEL],
    "url": "…/efficientnet-lite0",
}
CHANNEL: Example = {
    "model": "efficientnet-lite0",
    "layer": "conv_stem",
    "channel": 7,
    "channels": 32,
    "shape": [112, 112],
    "filter_url": "…/channels/7/filters.png",
    "visualization_url": "…/0f343b0931126a20f133d67c2b018a3b",
    "images": [
        {"id": "coffee", "url": "…/channels/7", "max": 5.9},
        {"id": "chelsea", "url": "…/channels/7", "max": None},
    ],
    "evidence": {
        "collections": [["samples", "Sample photos"]],
        "collection": "samples",
        "title": "Sample photos",
        "index": None,
    },
}
CLASSES: Example = {"classes": [{"class": 954, "label": "banana"}]}
IMAGE: Example = {
    "id": "chelsea",
    "name": "Chelsea, a cat",
    "width": 451,
    "height": 300,
    "original": [451, 300],
    "url": "…/chelsea",
    "created": 1790000000.0,
    "expires": None,
    "shared": False,
    "sample": True,
}
IMAGES: Example = {"samples": [IMAGE], "images": []}
PREDICTION: Example = {
    **FROM_IMAGE,
    "kind": "prediction",
    "top": [TABBY],
    "layers": [{"name": "conv_stem", "url": "…/layers/conv_stem"}],
}
GRAPH: Example = {
    "model": "resnet18",
    "title": "ResNet-18",
    "trained": True,
    "chosen": "",
    "thumbnails": None,
    "nodes": [
        {
            "id": "layer1.0.conv1",
            "kind": "convolution",
            "title": "conv1",
            "shape": [64, 56, 56],
            "inputs": ["maxpool"],
            "window": [3, 3],
            "stride": 1,
            "layer": True,
            "box": "layer1.0",
            "url": "…/layers/layer1.0.conv1",
        }
    ],
    "boxes": [
        {
            "id": "layer1.0",
            "kind": "residual block",
            "title": "layer1.0",
            "shape": [64, 56, 56],
            "window": [],
            "nodes": 7,
            "parts": [["convolution + batch norm + ReLU", 1], ["sum", 1]],
            "layer": True,
            "box": "layer1",
            "url": "…/layers/layer1.0",
        }
    ],
}
THUMBNAILS: Example = {
    **FROM_IMAGE,
    "kind": "thumbnails",
    "picture": "…/thumbnails.png",
    "scale": {"mode": "layer"},
    "colors": {"one": GRAYS, "signed": BLUE_RED},
    "sheet": {"columns": 14, "rows": 10, "tile": 48, "gap": 1},
    "layers": [
        {
            "layer": "conv_stem",
            "channel": 7,
            "low": -15.5,
            "high": 15.5,
            "sided": "signed",
            "x": 1,
            "y": 1,
            "url": "…/channels/7",
        }
    ],
}
FOUND: Example = {
    "results": [
        {
            "kind": "class",
            "title": "banana",
            "url": "…/new?kind=class&model=efficientnet-lite0&class=954&q=banana",
            "note": "class visualization, EfficientNet-Lite0",
            "text": "",
            "ask": {"kind": "class", "model": "efficientnet-lite0", "class": "954"},
        }
    ]
}
GRID: Example = {
    **FROM_IMAGE,
    "kind": "grid",
    "layer": "conv_stem",
    "sort": "index",
    "tile": 0,
    "low": 0.0,
    "high": 0.0,
    "colors": GRAYS,
    "shape": [32, 112, 112],
    "scale": {
        "mode": "robust",
        "low": 0.0,
        "high": 2.1,
        "sided": "one",
        "gamma": 0.7,
        "clipped": 0.013,
        "peak": 6.0,
        "beyond": 8,
    },
    "gamma": 0.7,
    "structured": 0,
    "channels": [
        {"channel": 0, "min": 0.0, "mean": 0.31, "max": 5.2, "share_active": 0.62, "dead": False}
    ],
    "dead": 3,
    "sheet": {"columns": 8, "rows": 4, "tile": 112, "gap": 1},
}
MAP: Example = {
    **FROM_IMAGE,
    "kind": "map",
    "layer": "conv_stem",
    "size": 448,
    "low": 0.0,
    "high": 0.0,
    "shape": [112, 112],
    "colors": BLUE_RED,
    "width": 448,
    "height": 448,
    "channel": 7,
    "min": -5.52,
    "mean": -2.27,
    "max": 2.12,
    "share_active": 0.0063,
    "dead": False,
    "scale": SIGNED,
}
SIDE: Example = {
    "image": "chelsea",
    "model": "efficientnet-lite0",
    "layer": "conv_stem",
    "url": "…/layers/conv_stem",
    "picture": "…/left.png",
    "grid": GRID,
}
FILTERS: Example = {
    "model": NETWORK,
    "trained": True,
    "obstacle": None,
    "picture": "…/filters.png",
    "mode": "rgb",
    "scale": {"low": -3.7, "high": 3.7, "sided": "signed"},
    "sheet": {"columns": 8, "rows": 4, "tile": 44, "gap": 1},
    "grain": 0.627,
    "filters": [{"filter": 0, "norm": 0.57, "grain": 0.79}],
}
FILTER_PAIR: Example = {
    "layer": "conv_stem",
    "filter": None,
    "noise": 0.805,
    "own": FILTERS,
    "twin": FILTERS | {"model": "efficientnet-lite0-untrained", "trained": False, "grain": 0.817},
}
ARCHITECTURES: Example = {
    "models": [
        {
            "name": "alexnet",
            "title": "AlexNet",
            "trained": True,
            "url": "…/alexnet",
            "input_size": [3, 224, 224],
            "depth": 8,
            "parameters": 61100840,
            "multiply_adds": 714188480,
            "head": 58631144,
            "memory": {"weights": 244403360, "kept": 4151456, "most_at_once": 2064128},
            "layers": [
                {
                    "name": "features.0",
                    "what": "convolution",
                    "parameters": 23296,
                    "multiply_adds": 70276800,
                }
            ],
        }
    ]
}
CALCULATORS: Example = {
    "numbers": {"size": 227, "filter": 11, "padding": 0, "stride": 4},
    "slide": {"output": 55, "rest": 0, "parameters": 34944, "multiply_adds": 105415200},
    "field": [{"filter": 11, "stride": 4, "sees": 11, "jump": 4}],
    "stacks": {"layers": 2, "sees": 5, "wide_weights": 25, "small_weights": 18},
    "bottleneck": {"direct": 112896000, "steps": [1505280, 3763200], "through": 5268480},
    "head": {"connected": [102760448, 16777216, 4096000], "pooled": 512000, "networks": {}},
    "auxiliary": {"loss": 3.65, "parameters": {"4a": 3188840}, "way": {"4a": 10}},
}
SIDE_BY_SIDE: Example = {
    "scale": {"mode": "told", "low": -15.5, "high": 15.5, "sided": "signed"},
    "left": SIDE,
    "right": SIDE | {"model": "efficientnet-lite0-untrained", "picture": "…/right.png"},
}
WHERE: Example = {
    "method": "gradcam",
    "class": 281,
    "label": "tabby",
    "probability": 0.42,
    "layer": "bn2",
    "shape": [7, 7],
    "scale": {"mode": "layer", "low": -0.39, "high": 0.39, "sided": "signed"},
    "map": [[0.11, 0.18, 0.15]],
}
COVERING: Example = {
    **FROM_IMAGE,
    "kind": "covering",
    "mask": "AAAAAAAAD_8",
    "cells": 32,
    "seed": 0,
    "width": 224,
    "height": 224,
    "fill": "mean",
    "share": 0.24,
    "before": [TABBY],
    "after": [{"class": 285, "label": "Egyptian cat", "probability": 0.44}],
    "moved": [{"class": 281, "label": "tabby", "before": 0.42, "after": 0.2}],
}
FETCHING: Example = {
    "model": "vgg16",
    "state": "running",
    "bytes": 1048576,
    "total": 553433881,
    "problem": "",
}
QUEUE: Example = {
    "devices": [
        {"name": "cpu", "state": "ready", "doing": "class of efficientnet-lite0 954", "waiting": 0}
    ],
    "jobs": [
        {
            "title": "class of efficientnet-lite0 954",
            "step": 40,
            "steps": 128,
            "stage": "",
            "seconds": 3.1,
        }
    ],
    "waiting": [],
}
ASKED_CLASS: Example = {"kind": "class", "model": NETWORK, "class": 954}
ASKED_CHANNEL: Example = {
    "kind": "channel",
    "model": NETWORK,
    "layer": "blocks.2.0",
    "channel": 7,
    "quality": "quick",
    "seed": 0,
}
ASKED_ATLAS: Example = {"kind": "atlas", "model": NETWORK, "layer": "blocks.0.0"}
ASKED_RECONSTRUCTION: Example = {
    "kind": "reconstruction",
    "model": NETWORK,
    "layer": "blocks.2.0",
    "image": "chelsea",
}
ASKED_STRIP: Example = {"kind": "strip", "model": NETWORK, "image": "chelsea"}
ASKED_OCCLUSION: Example = {
    "kind": "occlusion",
    "model": NETWORK,
    "image": "chelsea",
    "class": 282,
    "fill": "mean",
}
ASKED_INDEX: Example = {"kind": "index", "model": NETWORK, "collection": "samples"}
LECTURE: Example = {
    "chapters": [
        {
            "name": "neighbours",
            "title": "Neighbours",
            "text": "Photos whose pixels are close have the same background; …",
            "paper": "",
            "places": [
                {
                    "title": "Neighbours of a photo",
                    "url": "…/neighbours",
                    "state": "unmade",
                    "made": None,
                    "ask": {"kind": "index", "model": NETWORK, "collection": "samples"},
                }
            ],
            "note": "",
        }
    ]
}
ASKED_MAP: Example = {
    "kind": "map",
    "model": NETWORK,
    "collection": "samples",
    "layer": "blocks.4.0",
}
NEAR_PHOTO: Example = {
    "photo": 88,
    "name": "n02088364_beagle.jpg",
    "label": "beagle",
    "group": "dogs",
    "picture": "…/photos/88.jpg",
    "url": "…/photos/88",
}
NEIGHBOURS: Example = {
    "collection": "photos",
    "model": "efficientnet-lite0",
    "layer": "blocks.6.0",
    "photo": NEAR_PHOTO,
    "image": None,
    "photos": 500,
    "current": True,
    "right": {"by_features": 12, "by_pixels": 1},
    "by_features": [NEAR_PHOTO | {"photo": 90, "likeness": 0.94, "same": "class"}],
    "by_pixels": [NEAR_PHOTO | {"photo": 91, "likeness": -0.13, "same": "class"}],
}
NEIGHBOUR_SHARES: Example = {
    "collection": "photos",
    "model": "efficientnet-lite0",
    "by": "group",
    "count": 5,
    "photos": 500,
    "asked": 394,
    "current": True,
    "pixels": 0.055,
    "chance": 0.05,
    "layers": [{"name": "conv_stem", "share": 0.064, "url": "…/neighbours"}],
}
PHOTO_MAP: Example = {
    "collection": "photos",
    "model": "efficientnet-lite0",
    "layer": "blocks.6.0",
    "method": "pca",
    "state": "done",
    "visualization": None,
    "current": True,
    "shares": [0.12, 0.07],
    "divergence": None,
    "photos": [
        {
            "photo": 0,
            "name": "n01440764_tench.jpg",
            "label": "tench",
            "group": "fish",
            "place": [-0.31, 0.42],
        }
    ],
}
COLLECTIONS: Example = {
    "collections": [
        {
            "name": "samples",
            "title": "Sample photos",
            "photos": 6,
            "found": 6,
            "unreadable_count": 0,
            "left_out_count": 0,
            "labelled": False,
            "url": "…/samples",
        }
    ]
}
COLLECTION: Example = {
    "name": "photos",
    "title": "photos",
    "labelled": True,
    "photos": [
        {
            "n": 0,
            "name": "n01440764_tench.jpg",
            "label": "tench",
            "wordnet": "n01440764",
            "image": None,
            "picture": "…/photos/0.jpg",
            "url": "…/photos/0",
        }
    ],
    "models": [
        {
            "model": NETWORK,
            "title": "EfficientNet-Lite0",
            "indexed": True,
            "current": True,
            "url": "…/models/…",
        }
    ],
    "found": 1,
    "unreadable": [],
    "unreadable_count": 0,
    "left_out": [{"name": "IMG_1.heic", "code": "heic", "reason": "it is HEIC, …"}],
    "left_out_count": 1,
}
ANSWERING: Example = {
    "name": "bn1",
    "kind": "batch norm + ReLU6",
    "channels": 32,
    "signed": False,
    "dead": 4,
    "share_dead": 0.125,
    "url": "…/layers/bn1",
}
COLLECTION_MODEL: Example = {
    "collection": "photos",
    "model": NETWORK,
    "state": "done",
    "index": "0f343b0931126a20f133d67c2b018a3b",
    "current": True,
    "photos": 500,
    "unreadable": [],
    "unreadable_count": 0,
    "left_out": 0,
    "layers": [ANSWERING | {"low": 0.0, "high": 6.0, "rare": 0}],
}
COLLECTION_LAYER: Example = {
    "collection": "photos",
    "model": NETWORK,
    "layer": "bn1",
    "photos": 500,
    "current": True,
    "dead": [4, 9],
    "rare": [],
    "channels": [
        {
            "channel": 3,
            "fired": 499,
            "mean": 0.21,
            "high": 4.35,
            "share_active": 0.5,
            "best": "n01440764_tench.jpg",
            "url": "…/3",
        }
    ],
}
FIRING: Example = {
    "image": "chelsea",
    "model": NETWORK,
    "layers": [ANSWERING | {"share_active": 0.31}],
}
QUEUED: Example = {
    "id": "0f343b0931126a20f133d67c2b018a3b",
    "state": "queued",
    "url": "…/0f343b0931126a20f133d67c2b018a3b",
}
VISUALIZATION: Example = {
    **QUEUED,
    "state": "done",
    "step": 128,
    "steps": 128,
    "scores": [0.3, 7.9, 14.2],
    "position": None,
    "left": None,
    "stage": "",
    "recipe": {**ASKED_CLASS, "quality": "quick", "size": 0, "steps": 0, "seed": 0},
    "seconds": 9.8,
    "device": "cpu",
    "versions": {"laterna": "0.1.0", "python": "3.12.3", "torch": "2.7.0"},
    "weights_sha256": "…",
    "parts": {"growth.webp": "…/growth.webp"},
    "picture": "…/0f343b0931126a20f133d67c2b018a3b.png",
    "error": None,
    "label": "banana",
    "probability": 0.998,
}
VISUALIZATIONS: Example = {"own": [QUEUED], "finished": [QUEUED | {"state": "done"}]}
