"""MONAI Label's own client against a running "consilium serve": lists, infers, saves and asks for the next sample.

Needs the packages monailabel (without its dependencies) and requests; without them it says so and ends well.
The correction that it saves is to be undone with "consilium corrections undo ID".
"""

import argparse
import sys
import time

try:
    from monailabel.client.client import MONAILabelClient
except ImportError as error:
    print(f"skipped, MONAI Label's client is not installed ({error}): pip install requests; pip install --no-deps monailabel")
    sys.exit(0)

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("url", help="such as http://127.0.0.1:8000")
parser.add_argument("--token", help="where the server wants one")
parser.add_argument("--point", default="24,24,0", help="voxel i,j,k to click on, of an image without labels")
arguments = parser.parse_args()

client = MONAILabelClient(arguments.url, client_id="check")
if client.auth_enabled():
    client.update_auth(client.auth_token("check", arguments.token))
info = client.info()
print("models:", {name: model["type"] for name, model in info["models"].items()}, "strategies:", list(info["strategies"]))
print("images:", len(client.datastore()["objects"]))
sample = client.next_sample("uncertainty", {})
print("next:", sample)
if "id" not in sample:
    sys.exit("every image has labels: undo a correction, or add an image without labels")
i, j, k = (int(each) for each in arguments.point.split(","))
label = info["labels"][0]
for turn, points in enumerate([[[i, j, k]], [[i, j, k], [i + 3, j, k]]]):
    begun = time.time()
    params = {"label": label, "foreground": points, "background": [], "slice": k, "result_extension": ".nii.gz"}
    file, answer = client.infer("prompts", sample["id"], params)
    print(f"prompt {turn + 1}: {time.time() - begun:.2f} s,", answer, file)
saved = client.save_label(sample["id"], file, params={"label_info": [{"name": label, "idx": 1}]})
print("saved:", saved)
print("read back:", client.download_label(sample["id"], "final"))
print("next:", client.next_sample("first", {}))
print("training runs here:", client.train_status(check_if_running=True))
