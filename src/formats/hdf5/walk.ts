/** Finds the nodes of a file by its groups: where there is no index, or none that holds. */
import { check, FormatError } from '../../errors.js';
import type { NodeShape } from '../../grid/bank.js';
import type { LostNode } from '../../grid/files/contents.js';
import type { ReadOptions } from '../../grid/files/persistence.js';
import { AXES } from '../../grid/tangents.js';
import { type NodeType, nodeName, type Place } from './layout.js';
import { type Level, lostNode, RECOVER } from './levels.js';
import type { Dataset, ReadFile } from './readfile.js';

/** A node or tangent that HDF5 is to read. */
export interface Listed extends Place {
  type: NodeType;
  shape: NodeShape;
  dataset: Dataset;
}

/**
 * Nodes, then tangents, of a cube, none read yet.
 * @param budget bytes that they may have together: those of the file, however often links lead to one dataset. Less afterwards.
 */
export function listDatasets(
  file: ReadFile,
  level: Level,
  budget: { bytes: number },
  { recover = false }: ReadOptions,
): { entries: Listed[]; lost: LostNode[] } {
  const nodes: Listed[] = [];
  const tangents: Listed[] = [];
  const lost: LostNode[] = [];
  /** Lists what `action` does, or notes what is lost by it. */
  const trying = (place: Place, action: () => void) => {
    try {
      action();
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      if (!recover) throw placed(error, place);
      lost.push(lostNode(file.name, level, place, error));
    }
  };
  for (const group of file.names(`${level.folder}/grid`)) {
    const found = /^(\d{1,10})_(\d{1,10})_(\d{1,10})$/.exec(group);
    check(
      found !== null && nodeName({ x: +found[1], y: +found[2], z: +found[3] }) === group,
      () => new FormatError(file.name, `has a group '${group.slice(0, 60)}' in its grid, which is no x_y_z`),
    );
    const place = { x: Number(found[1]), y: Number(found[2]), z: Number(found[3]) };
    trying(place, () => {
      const path = `${level.folder}/grid/${group}`;
      const names = file.names(path);
      check(
        names.includes('wavetable') !== names.includes('compressed_params'),
        () => new FormatError(file.name, `${path} must hold either wavetable or compressed_params`),
      );
      for (const name of names) {
        const tangent = AXES.find((axis) => name === `tangent_${axis}`);
        check(
          tangent !== undefined || name === 'wavetable' || name === 'compressed_params',
          () => new FormatError(file.name, `${path} has a dataset '${name.slice(0, 60)}' that no node has`),
        );
        const own = { ...place, ...(tangent && { tangent }) };
        trying(own, () => {
          const dataset = file.dataset(`${path}/${name}`);
          const listed = { ...own, dataset, ...typed(file, level, dataset, name === 'compressed_params') };
          budget.bytes -= dataset.sizeBytes;
          check(
            budget.bytes >= 0,
            () =>
              new FormatError(
                file.name,
                `${dataset.path}: the datasets together have more bytes than the file`,
              ),
          );
          (tangent ? tangents : nodes).push(listed);
        });
      }
    });
  }
  const missing = (level.count ?? 0) - nodes.length - tangents.length - lost.length;
  const unknown = missing > 0 && recover ? tangentsOf(lost, tangents) : [];
  check(
    level.count === undefined || (missing >= 0 && missing <= unknown.length),
    () =>
      new FormatError(
        file.name,
        `${level.folder}/grid has ${level.count! - missing} nodes and tangents, where the metadata say ${level.count}, ` +
          'and nothing says which are missing',
      ),
  );
  if (missing > 0) lost.push(...unknown);
  return { entries: [...nodes, ...tangents], lost };
}

/** The tangents that nodes may have had whose groups cannot be read. */
function tangentsOf(lost: readonly LostNode[], found: readonly Place[]): LostNode[] {
  const known = new Set([...lost, ...found].map(({ x, y, z, tangent }) => `${x} ${y} ${z} ${tangent}`));
  return lost.flatMap(({ tangent: own, ...node }) =>
    AXES.filter((axis) => !own && !known.has(`${node.x} ${node.y} ${node.z} ${axis}`)).map((tangent) => ({
      ...{ ...node, tangent },
      reason: `the tangent, if there was one, is lost with its node: ${node.reason}`,
    })),
  );
}

/** What a dataset holds. @throws FormatError for one that no node of this cube is. */
function typed(
  file: ReadFile,
  { options }: Level,
  dataset: Dataset,
  isCompressed: boolean,
): { type: NodeType; shape: NodeShape } {
  const { path, type, shape } = dataset;
  const fail = (must: string) =>
    new FormatError(file.name, `${path} must be ${must}, got ${type} [${shape.join(', ')}]`);
  if (isCompressed) {
    check(type === 'uint8' && shape.length === 1, () => fail('uint8 [n]'));
    return { type: 'container', shape: [1, 1, 1] };
  }
  const wanted = options.dtype === 'float16' ? 'float16' : 'float32';
  const isWords =
    type === 'uint16' &&
    file.attributeNames(path).includes('dtype') &&
    file.attribute(path, 'dtype') === 'float16';
  check(shape.length === 3 && (isWords ? 'float16' : type) === wanted && dataset.sizeBytes > 0, () =>
    fail(`[H, W, C] ${wanted}`),
  );
  return { type: wanted, shape: shape as unknown as NodeShape };
}

/** The same error, with the node that it concerns. */
function placed(error: FormatError, { x, y, z }: Place): FormatError {
  if (error.node) return error;
  const message = error.message.slice(error.source.length + 2);
  const { cause, offset } = error;
  return new FormatError(error.source, `node (${x}, ${y}, ${z}): ${message}${RECOVER}`, {
    ...{ cause, offset, node: [x, y, z] },
  });
}
