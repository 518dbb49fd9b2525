"""Prints what TensorBoard reads in the event files of a directory, as JSON; called by test_summary_writer.cpp."""
import json
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import plugin_data_pb2
from tensorboard.plugins.pr_curve import plugin_data_pb2 as pr_curve_pb2
from tensorboard.util import tensor_util

events = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0, "histograms": 0, "images": 0, "tensors": 0})
events.Reload()
tags = events.Tags()
out = {"tags": {kind: tags[kind] for kind in ("scalars", "histograms", "images", "tensors")}}
out["scalars"] = {tag: [[e.step, e.value] for e in events.Scalars(tag)] for tag in tags["scalars"]}
out["histograms"] = {
    tag: [[e.step, v.min, v.max, v.num, v.sum, v.sum_squares, list(v.bucket_limit), list(v.bucket)]
          for e in events.Histograms(tag) for v in [e.histogram_value]] for tag in tags["histograms"]}


def pixels(png):
    import io

    from PIL import Image
    picture = Image.open(io.BytesIO(png))
    return [picture.mode, list(picture.getdata())]


out["images"] = {tag: [[e.step, e.width, e.height, pixels(e.encoded_image_string)] for e in events.Images(tag)]
                 for tag in tags["images"]}
out["texts"], out["curves"], out["hparams"] = {}, {}, {}
for tag in tags["tensors"]:
    plugin = events.SummaryMetadata(tag).plugin_data
    tensor = events.Tensors(tag)[0].tensor_proto
    if plugin.plugin_name == "text":
        out["texts"][tag] = tensor_util.make_ndarray(tensor)[0].decode()
    elif plugin.plugin_name == "pr_curves":
        thresholds = pr_curve_pb2.PrCurvePluginData.FromString(plugin.content).num_thresholds
        out["curves"][tag] = [thresholds, tensor_util.make_ndarray(tensor).tolist()]
    elif plugin.plugin_name == "hparams":
        data = plugin_data_pb2.HParamsPluginData.FromString(plugin.content)
        if data.HasField("session_start_info"):
            out["hparams"] = {
                name: getattr(value, value.WhichOneof("kind")) for name, value in data.session_start_info.hparams.items()}
        if data.HasField("experiment"):
            out["metrics"] = [m.name.tag for m in data.experiment.metric_infos]
if tags["graph"]:
    out["graph"] = [[node.name, node.op, list(node.input),
                     [[d.size for d in shape.dim] for shape in node.attr["_output_shapes"].list.shape]]
                    for node in events.Graph().node]
print(json.dumps(out))
