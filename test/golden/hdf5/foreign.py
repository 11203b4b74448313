"""Makes foreign.json: files as h5py writes them, deflated (zlib), in base64. `cubes` are to be read as `values` says, `hostile` to be refused.
python3 test/golden/hdf5/foreign.py"""
import base64, io, json, pathlib, zlib
import h5py, numpy as np

def file(fill, metadata={}, **how):
    out = io.BytesIO()
    with h5py.File(out, "w", **how) as f:
        header = {"kind": "cube", "width": 2, "height": 1, "depth": 3, "options": {"resolution": [2, 2], "channels": 1},
                  "user": {"by": "h5py"}, **metadata}
        f.attrs["format"] = "wavecube"
        f.attrs["version"] = 1
        fill(f, json.dumps(header))
    return base64.b64encode(zlib.compress(out.getvalue(), 9)).decode()

first = np.arange(4, dtype="<f4").reshape(2, 2, 1)
second = np.full((2, 2, 1), np.pi, "<f4")

def plain(f, header):
    f.attrs["metadata"] = header
    f["grid/0_0_0/wavetable"] = first
    f["grid/1_0_2/wavetable"] = second

def other_types(f, header):
    f["metadata"] = header
    f["grid/0_0_0/wavetable"] = first.astype(">f4")
    f.create_dataset("grid/1_0_2/wavetable", data=second, chunks=(1, 2, 1))

def text_of_bytes(f, header):
    f["metadata"] = np.frombuffer(header.encode(), np.uint8)
    plain_nodes(f)

def plain_nodes(f):
    f["grid/0_0_0/wavetable"] = first
    f["elsewhere"] = second
    f["grid/1_0_2/wavetable"] = h5py.SoftLink("/elsewhere")

def halves(f, header):
    f.attrs["metadata"] = header
    f["grid/0_0_0/wavetable"] = first.astype("<f2")
    f["grid/1_0_2/wavetable"] = second.astype("<f2")

half = {"options": {"resolution": [2, 2], "channels": 1, "dtype": "float16"}}

def with_metadata(fill):
    def filled(f, header):
        f.attrs["metadata"] = header
        f["grid/0_0_0/wavetable"] = first
        fill(f)
    return filled

def hard_links(f):
    f["big"] = np.zeros((64, 64, 1), "<f4")
    for x in range(2):
        for z in range(1, 3):
            f[f"grid/{x}_0_{z}/wavetable"] = f["big"]

def virtual(f):
    layout = h5py.VirtualLayout((2, 2, 1), "<f4")
    layout[...] = h5py.VirtualSource("/etc/passwd", "x", (2, 2, 1))
    f.create_virtual_dataset("grid/1_0_2/wavetable", layout)

def huge(f):
    f.create_dataset("grid/1_0_2/wavetable", (2**31, 2**31, 2**31), "<f4", chunks=(1, 1, 1))

def huge_chunks(f):
    f.create_dataset("grid/1_0_2/wavetable", (2, 2, 1), "<f4", chunks=(2**14, 2**14, 1), maxshape=(None, None, None))

def cycle(f):
    f["grid/1_0_2"] = h5py.SoftLink("/grid/0_0_1")
    f["grid/0_0_1"] = h5py.SoftLink("/grid/1_0_2")

def group_in_itself(f):
    f["grid/1_0_2"] = f["grid"]

def set_external(name):
    def fill(f):
        f.create_dataset("grid/1_0_2/wavetable", (2, 2, 1), "<f4", external=[(name, 0, 16)])
    return fill

def link_to_file(f):
    f["grid/1_0_2"] = h5py.ExternalLink("/etc/passwd", "/")

def gzip(f):
    f.create_dataset("grid/1_0_2/wavetable", data=second, compression="gzip")

def unchecked(f):
    f.attrs["checksums"] = True

def numbers(f):
    f["grid/1_0_2/wavetable"] = np.zeros((2, 2, 1), "<f8")

def two(f):
    f["grid/0_0_0/compressed_params"] = np.zeros(9, np.uint8)

def group(f):
    f.create_group("grid/../1_0_2")

small = {"libver": "latest"}
hostile = {
    "more bytes by hard links than the file has": (hard_links, "together have more bytes than the file"),
    "a virtual dataset": (virtual, "virtual"),
    "a shape beyond all bounds": (huge, "claims"),
    "chunks beyond all bounds": (huge_chunks, "chunks of"),
    "soft links in a circle": (cycle, "cannot be read"),
    "a group in itself": (group_in_itself, "must hold either"),
    "a link to another file": (link_to_file, "cannot be read"),
    "values in a file of the disk": (set_external("/etc/passwd"), "cannot be read"),
    "values on a terminal": (set_external("/dev/stdin"), "cannot be read"),
    "a filter that unpacks": (gzip, "packed by 'deflate'"),
    "no checksums where it says so": (unchecked, "damaged metadata"),
    "numbers of another type": (numbers, "must be [H, W, C] float32, got float64"),
    "a node of two kinds": (two, "must hold either"),
    "a name that is none of a node": (group, "no x_y_z"),
}
json_file = {
    "cubes": {
        "with attributes": file(plain),
        "big-endian and chunked": file(other_types, **small),
        "with metadata of bytes, and a soft link": file(text_of_bytes, **small),
        "float16": file(halves, half, **small),
    },
    "values": {"0_0_0": first.ravel().tolist(), "1_0_2": second.ravel().tolist()},
    "hostile": {name: {"file": file(with_metadata(fill), **small), "error": error} for name, (fill, error) in hostile.items()},
}
path = pathlib.Path(__file__).with_suffix(".json")
path.write_text(json.dumps(json_file, indent=1) + "\n")
print({name: len(one["file"]) for name, one in json_file["hostile"].items()}, path.stat().st_size)
