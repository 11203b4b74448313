"""Reads .wvcb files of Wavecube: cubes, hierarchies of octaves, and folders of shards. Python 3.9, NumPy, and nothing else.

The layout is stated byte by byte in src/formats/WVCB.md.

    with open_wavecube('cube.wvcb') as cube:
        cube.size, cube.metadata            # (width, height, depth), the user's own dict
        cube.node(0, 1, 2)                  # [H, W, C] float32 or float16, or a Compressed node
    with open_wavecube('octaves.wvcb') as octaves:
        octaves.level(-1).node(0, 0, 0)

python wavecube_reader.py FILE lists what is in a file.
"""

import json
import mmap
import os
import struct
import sys
import zlib
from dataclasses import dataclass
from typing import Any, Dict, Iterator, List, Optional, Tuple, Union

import numpy as np

HEADER_BYTES = 256
ALIGNMENT = 64
VERSION = 1
MANIFEST = 'manifest.wvcb'
TANGENTS = (None, 'x', 'y', 'z')

ENTRY = np.dtype({
    'names': ['x', 'y', 'z', 'offset', 'bytes', 'params', 'crc', 'h', 'w', 'c', 'codec', 'level', 'role', 'type', 'shard', 'own_crc'],
    'formats': ['<u4', '<u4', '<u4', '<u8', '<u8', '<u8', '<u4', '<u4', '<u4', '<u4', '<u2', '<u2', 'u1', 'u1', '<u2', '<u4'],
    'offsets': [0, 4, 8, 12, 20, 28, 36, 40, 44, 48, 52, 54, 56, 57, 58, 60],
    'itemsize': 64,
})
TYPES = {0: np.dtype('<f4'), 1: np.dtype('<f2')}


class WavecubeError(Exception):
    """Bytes that are not what the format says; the message names the file and the place."""


# --- CRC-32C (Castagnoli)

def _step(registers: np.ndarray) -> np.ndarray:
    return (registers >> np.uint32(1)) ^ np.where(registers & np.uint32(1), np.uint32(0x82F63B78), np.uint32(0))


def _table() -> np.ndarray:
    """What sixteen bits do to a register."""
    table = np.arange(1 << 16, dtype=np.uint32)
    for _ in range(16):
        table = _step(table)
    return table


_TABLE = _table()
_LANE_BYTES = 512


def _apply(matrix: np.ndarray, registers: np.ndarray) -> np.ndarray:
    """Registers times a 32 × 32 matrix over GF(2), which is given as the images of single bits."""
    out = np.zeros_like(registers)
    for bit in range(32):
        out ^= np.where((registers >> np.uint32(bit)) & np.uint32(1), matrix[bit], np.uint32(0))
    return out


def _zeros_matrix(count: int) -> np.ndarray:
    """What `count` bytes of zeros do to a register; count is a power of two."""
    matrix = np.uint32(1) << np.arange(32, dtype=np.uint32)
    for _ in range(8):
        matrix = _step(matrix)
    while count > 1:
        matrix = _apply(matrix, matrix)
        count //= 2
    return matrix


def crc32c(data: Union[bytes, memoryview, np.ndarray]) -> int:
    """CRC-32C: lanes of 512 bytes side by side, whose registers are then folded by twos. Some tens of MB a second."""
    values = np.frombuffer(data, dtype=np.uint8)
    if values.size < 4:
        register = 0xFFFFFFFF
        for byte in values.tolist():
            register ^= byte
            for _ in range(8):
                register = (register >> 1) ^ (0x82F63B78 if register & 1 else 0)
        return register ^ 0xFFFFFFFF
    # Zeros before the data leave a register of 0 as it is; the initial value goes into the first four bytes.
    lanes = 1
    while lanes * _LANE_BYTES < values.size:
        lanes *= 2
    padded = np.zeros(lanes * _LANE_BYTES, dtype=np.uint8)
    start = padded.size - values.size
    padded[start:] = values
    padded[start:start + 4] ^= 0xFF
    words = np.ascontiguousarray(padded.view('<u2').reshape(lanes, -1).T).astype(np.uint32)
    registers = np.zeros(lanes, dtype=np.uint32)
    for row in words:
        registers = _TABLE[(registers ^ row) & np.uint32(0xFFFF)] ^ (registers >> np.uint32(16))
    matrix = _zeros_matrix(_LANE_BYTES)
    while registers.size > 1:
        registers = _apply(matrix, registers[0::2]) ^ registers[1::2]
        matrix = _apply(matrix, matrix)
    return int(registers[0]) ^ 0xFFFFFFFF


# --- compressed nodes

class _Cursor:
    def __init__(self, data: bytes, name: str):
        self.data, self.at, self.name = data, 0, name

    def take(self, count: int) -> bytes:
        if count < 0 or self.at + count > len(self.data):
            raise WavecubeError(f'{self.name}: ends within a compressed node')
        self.at += count
        return self.data[self.at - count:self.at]

    def u8(self) -> int:
        return self.take(1)[0]

    def varint(self) -> int:
        value, shift = 0, 0
        while True:
            byte = self.u8()
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value
            if shift > 56:
                raise WavecubeError(f'{self.name}: has a number beyond 2^53 in a compressed node')

    def text(self) -> str:
        return self.take(self.varint()).decode('ascii')

    def floats(self, count: int) -> np.ndarray:
        return np.frombuffer(self.take(4 * count), dtype='<f4')


@dataclass
class Compressed:
    """A container: what a codec made of a node."""

    codec: str
    version: int
    shape: Tuple[int, int, int]
    #: Maximum error, PSNR in dB and relative RMS error that were reached.
    achieved: Tuple[float, float, float]
    #: 0: payload is the codec's own. 1: parameters as they are, see `parameters`. 2: both, of a node that was trained.
    kind: int
    payload: bytes
    name: str

    @staticmethod
    def parse(data: bytes, name: str, verify: bool = True) -> 'Compressed':
        if len(data) < 8 or data[:4] != b'WVCN':
            raise WavecubeError(f'{name}: holds no compressed node')
        if verify and crc32c(data[:-4]) != struct.unpack('<I', data[-4:])[0]:
            raise WavecubeError(f'{name}: is damaged, its CRC-32C does not match')
        cursor = _Cursor(data[:-4], name)
        cursor.take(4)
        layout, kind = cursor.u8(), cursor.u8()
        if layout != 1 or kind > 2:
            raise WavecubeError(f'{name}: is of unknown version {layout} or kind {kind}; this reader reads version 1')
        codec, version = cursor.text(), cursor.varint()
        shape = (cursor.varint(), cursor.varint(), cursor.varint())
        achieved = tuple(float(value) for value in cursor.floats(3))
        payload = cursor.take(cursor.varint())
        if cursor.at != len(cursor.data):
            raise WavecubeError(f'{name}: has bytes behind a compressed node')
        return Compressed(codec, version, shape, achieved, kind, payload, name)

    def parameters(self) -> Optional[Dict[str, np.ndarray]]:
        """Arrays by their names, where they are stored as they are; else None."""
        if self.kind != 1:
            return None
        cursor = _Cursor(self.payload, self.name)
        arrays = {}
        for _ in range(cursor.varint()):
            name, kind = cursor.text(), cursor.u8()
            shape = [cursor.varint() for _ in range(cursor.varint())]
            count = 1
            for n in shape:
                count *= n
            values = cursor.floats(count)
            arrays[name] = (values.view('<i4') if kind == 2 else values).reshape(shape)
        return arrays

    def decode(self) -> Optional[np.ndarray]:
        """[H, W, C] float32, of a 'lossless' node that is stored or deflated; None of what takes an entropy decoder."""
        if self.codec != 'lossless' or self.version != 1 or self.kind != 0 or len(self.payload) == 0:
            return None
        size = 4 * self.shape[0] * self.shape[1] * self.shape[2]
        how, data = self.payload[0], self.payload[1:]
        if how == 1:
            inflater = zlib.decompressobj(-15)
            data = inflater.decompress(data, size + 1)
        elif how != 0:
            return None
        if len(data) != size:
            raise WavecubeError(f'{self.name}: holds {len(data)} bytes of {size}')
        planes = np.frombuffer(data, dtype=np.uint8)
        if how == 1:
            planes = np.ascontiguousarray(planes.reshape(4, -1).T).reshape(-1)
        return planes.view('<f4').reshape(self.shape)


# --- files

class _File:
    """A file, mapped into memory."""

    def __init__(self, path: str):
        self.path = path
        with open(path, 'rb') as file:
            self.size = os.fstat(file.fileno()).st_size
            self.map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if self.size else None

    def read(self, offset: int, count: int, what: str) -> bytes:
        if offset + count > self.size:
            raise WavecubeError(f'{self.path}: ends after {self.size} bytes, before {what} at byte {offset}')
        return self.map[offset:offset + count] if count else b''

    def close(self) -> None:
        if self.map is not None:
            self.map.close()


class _Header:
    def __init__(self, data: bytes, path: str):
        version, *sizes = struct.unpack_from('<7I', data, 4)
        if version != VERSION:
            raise WavecubeError(f'{path}: has version {version} of the .wvcb format; this reader reads {VERSION}')
        self.size = tuple(sizes[:3])
        self.compression, self.sparse, self.kind, self.flags = data[32], bool(data[33]), data[34], data[35]
        entry_bytes, = struct.unpack_from('<I', data, 36)
        (self.index_at, self.index_bytes, self.metadata_at, self.metadata_bytes, self.file_bytes,
         self.generation) = struct.unpack_from('<6Q', data, 40)
        self.index_crc, self.metadata_crc = struct.unpack_from('<2I', data, 88)
        self.id = data[96:112]
        if self.kind > 1 or self.flags > 1 or entry_bytes != ENTRY.itemsize or any(data[112:252]):
            raise WavecubeError(f'{path}: says something in its header that version 1 does not know')

    @property
    def is_manifest(self) -> bool:
        return self.flags == 1

    @staticmethod
    def is_whole(data: bytes) -> bool:
        return len(data) == HEADER_BYTES and data[:4] == b'WVCB' and crc32c(data[:252]) == struct.unpack_from('<I', data, 252)[0]

    @staticmethod
    def of(file: _File) -> '_Header':
        first = file.read(0, min(HEADER_BYTES, file.size), 'its header')
        if first[:4] != b'WVCB':
            raise WavecubeError(f'{file.path}: is no .wvcb file (it begins with {first[:4].hex(" ") or "nothing"})')
        if _Header.is_whole(first):
            return _Header(first, file.path)
        # An update that was cut off while it overwrote the header left a copy at the end.
        at = file.size - HEADER_BYTES
        if at >= HEADER_BYTES and at % ALIGNMENT == 0:
            last = file.read(at, HEADER_BYTES, 'the copy of its header')
            if _Header.is_whole(last):
                header = _Header(last, file.path)
                if header.file_bytes == file.size:
                    return header
        if len(first) >= 8 and struct.unpack_from('<I', first, 4)[0] != VERSION:
            raise WavecubeError(f'{file.path}: has version {struct.unpack_from("<I", first, 4)[0]} of the .wvcb format; this reader reads {VERSION}')
        raise WavecubeError(f'{file.path}: has a damaged header: its CRC-32C does not match')


class Cube:
    """One cube, or one octave of a hierarchy."""

    def __init__(self, owner: 'Wavecube', level: int, said: Dict[str, Any], size: Tuple[int, int, int]):
        self._owner, self._level = owner, level
        #: (width, height, depth): nodes along x, y, z.
        self.size = size
        self.options: Dict[str, Any] = said['options']
        #: The user's own.
        self.metadata: Dict[str, Any] = said['user']
        self.octave: Optional[int] = said.get('octave')
        entries = owner.index
        self._numbers = {
            (int(entries['x'][i]), int(entries['y'][i]), int(entries['z'][i]), int(entries['role'][i])): int(i)
            for i in np.nonzero(entries['level'] == level)[0]
        }

    def nodes(self) -> List[Tuple[int, int, int]]:
        """Places of all nodes that are stored."""
        return [place[:3] for place in self._numbers if place[3] == 0]

    def __iter__(self) -> Iterator[Tuple[Tuple[int, int, int], Union[np.ndarray, Compressed]]]:
        return ((place, self.node(*place)) for place in self.nodes())

    def node(self, x: int, y: int, z: int, tangent: Optional[str] = None) -> Union[np.ndarray, Compressed]:
        """[H, W, C] float32 or float16, read-only, or a Compressed node. tangent: 'x', 'y' or 'z', of the node its derivative.

        KeyError where there is none. A dense cube has zeros where no node is stored.
        """
        number = self._numbers.get((x, y, z, TANGENTS.index(tangent)))
        if number is not None:
            return self._owner._payload(number)
        inside = all(0 <= at < count for at, count in zip((x, y, z), self.size))
        if inside and tangent is None and not self.options.get('sparse', True):
            half = self.options.get('dtype') == 'float16'
            return np.zeros((*self.options['resolution'], self.options['channels']), np.float16 if half else np.float32)
        raise KeyError((x, y, z) if tangent is None else (x, y, z, tangent))


class Wavecube(Cube):
    """A file that is open. Of a hierarchy `levels` has its octaves; of a cube itself alone."""

    def __init__(self, path: str, verify: bool = True):
        path = os.fspath(path)
        self.path = os.path.join(path, MANIFEST) if os.path.isdir(path) else path
        self.verify = verify
        self._files: Dict[int, _File] = {0: _File(self.path)}
        try:
            self._read_head()
        except BaseException:
            self.close()
            raise

    def _read_head(self) -> None:
        file = self._files[0]
        self.header = header = _Header.of(file)
        if header.file_bytes > file.size:
            raise WavecubeError(f'{self.path}: is cut short: {file.size} of its {header.file_bytes} bytes are there')
        index = file.read(header.index_at, header.index_bytes, 'its index')
        metadata = file.read(header.metadata_at, header.metadata_bytes, 'its metadata')
        for what, data, crc, at in (('a damaged index', index, header.index_crc, header.index_at),
                                    ('damaged metadata', metadata, header.metadata_crc, header.metadata_at)):
            if self.verify and crc32c(data) != crc:
                raise WavecubeError(f'{self.path}: has {what} at byte {at}: the CRC-32C does not match')
        if len(index) < 8 or 8 + ENTRY.itemsize * struct.unpack_from('<Q', index)[0] != len(index):
            raise WavecubeError(f'{self.path}: has an index of {len(index)} bytes that says another number of entries')
        self.index = np.frombuffer(index, dtype=ENTRY, offset=8)
        said = json.loads(metadata.decode('utf-8'))
        self.codecs = said['codecs']
        self.shards = said.get('shards', [])
        for k, shard in enumerate(self.shards):
            # No name that leads elsewhere.
            if shard['name'] != f'shard-{header.id.hex()}-{k:05d}.wvcb':
                raise WavecubeError(f'{self.path}: names a shard {shard["name"]!r}')
        if header.kind == 0:
            super().__init__(self, 0, said['cube'], header.size)
            self.levels: List[Cube] = [self]
        else:
            octaves = said['octaves']
            self.size, self.options, self.metadata, self.octave = header.size, {}, octaves['user'], None
            self.levels = [
                Cube(self, k, level, (level['width'], level['height'], level['depth']))
                for k, level in enumerate(octaves['levels'])
            ]

    @property
    def is_hierarchy(self) -> bool:
        return self.header.kind == 1

    def level(self, octave: int) -> Cube:
        """An octave of a hierarchy."""
        for cube in self.levels:
            if cube.octave == octave:
                return cube
        raise KeyError(octave)

    def _file(self, shard: int) -> _File:
        if shard not in self._files:
            if not 1 <= shard <= len(self.shards):
                raise WavecubeError(f'{self.path}: has a node in shard {shard} of {len(self.shards)}')
            said = self.shards[shard - 1]
            path = os.path.join(os.path.dirname(self.path), said['name'])
            try:
                file = _File(path)
            except FileNotFoundError as cause:
                raise WavecubeError(f'{path}: is missing') from cause
            if file.size != said['sizeBytes'] or _Header.of(file).id != self.header.id:
                file.close()
                raise WavecubeError(f'{path}: is not the shard that {self.path} means')
            self._files[shard] = file
        return self._files[shard]

    def _payload(self, number: int) -> Union[np.ndarray, Compressed]:
        entry = self.index[number]
        place = f'node ({entry["x"]}, {entry["y"]}, {entry["z"]})'
        file = self._file(int(entry['shard']))
        offset, count = int(entry['offset']), int(entry['bytes'])
        data = file.read(offset, count, place)
        if self.verify and crc32c(data) != int(entry['crc']):
            raise WavecubeError(f'{file.path}: {place} at byte {offset} is damaged: its CRC-32C does not match')
        if entry['type'] == 2:
            return Compressed.parse(data, f'{file.path}: {place}', self.verify)
        dtype = TYPES.get(int(entry['type']))
        if dtype is None:
            raise WavecubeError(f'{file.path}: {place} is of unknown type {entry["type"]}')
        shape = (int(entry['h']), int(entry['w']), int(entry['c']))
        if count != dtype.itemsize * shape[0] * shape[1] * shape[2]:
            raise WavecubeError(f'{file.path}: {place} has {count} bytes, and is [{shape[0]}, {shape[1]}, {shape[2]}]')
        return np.frombuffer(data, dtype=dtype).reshape(shape)

    def close(self) -> None:
        for file in self._files.values():
            file.close()
        self._files.clear()

    def __enter__(self) -> 'Wavecube':
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()


def open_wavecube(path: Union[str, 'os.PathLike[str]'], verify: bool = True) -> Wavecube:
    """Opens a .wvcb file, or the folder or manifest of a cube of many. verify: whether checksums are looked at."""
    return Wavecube(path, verify)


def main(arguments: List[str]) -> int:
    if len(arguments) != 1:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    if hasattr(sys.stdout, 'reconfigure'):
        sys.stdout.reconfigure(errors='replace')
    try:
        with open_wavecube(arguments[0]) as file:
            for cube in file.levels:
                nodes = cube.nodes()
                where = '' if cube.octave is None else f'octave {cube.octave}: '
                resolution = ' × '.join(str(n) for n in cube.options['resolution'])
                print(f'{where}{" × ".join(map(str, cube.size))} nodes of [{resolution}, {cube.options["channels"]}] '
                      f'{cube.options.get("dtype", "float32")}, {len(nodes)} stored; metadata {json.dumps(cube.metadata, ensure_ascii=False)}')
                for place, node in cube:
                    if isinstance(node, Compressed):
                        print(f'  {place}  {list(node.shape)}  {node.codec} {node.version}, {len(node.payload)} bytes')
                    else:
                        low, high = (float(node.min()), float(node.max())) if node.size else (0.0, 0.0)
                        print(f'  {place}  {list(node.shape)}  {node.dtype.name}, {low:.4g} to {high:.4g}')
    except (WavecubeError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
