/** The rows of a bank's cells: what was set last, whether few or many cells have one. */
import { expect } from 'chai';
import { RowTable } from '../../src/grid/rowtable.js';
import fc from '../support/properties.js';

describe('rows of cells', () => {
  it('are those set last, in a small grid, a large one, and one that fills up', () => {
    const sizes = [10, 2 ** 16, 2 ** 16 + 1, 2 ** 20];
    fc.assert(
      fc.property(
        fc.constantFrom(...sizes),
        fc.array(fc.tuple(fc.nat(2 ** 20 - 1), fc.integer({ min: -1, max: 50 })), { maxLength: 40 }),
        fc.integer({ min: 0, max: 40 }),
        (size, writes, filledAt) => {
          const table = new RowTable(size);
          const model = new Map<number, number>();
          const set = (cell: number, row: number) => {
            table.set(cell, row);
            if (row < 0) model.delete(cell);
            else model.set(cell, row);
          };
          writes.forEach(([at, row], i) => {
            set(at % size, row);
            // More nodes than a map is good for.
            if (i === filledAt && size === 2 ** 16 + 1) for (let c = 0; c < 5000; c++) set(c * 13, c);
          });
          const cells = [...model.keys()].sort((a, b) => a - b);
          expect([...table.cells()]).to.deep.equal(cells);
          const twin = new RowTable(size);
          twin.set(0, 7);
          twin.copyFrom(table);
          table.set(cells[0] ?? 0, 49);
          for (const [at] of writes) expect(twin.get(at % size)).to.equal(model.get(at % size) ?? -1);
          const rows = twin.toArray();
          expect(rows.length).to.equal(size);
          for (const cell of cells) expect(rows[cell]).to.equal(model.get(cell));
          expect(rows.reduce((n, row) => n + Number(row >= 0), 0)).to.equal(cells.length);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('in order are the numbers of the cells', () => {
    for (const size of [5, 2 ** 17]) {
      const table = new RowTable(size);
      table.set(3, 0);
      table.setInOrder();
      expect(table.toArray().every((row, cell) => row === cell)).to.equal(true);
    }
  });

  it('of few nodes in a grid of 2^28 cells take little memory', () => {
    const table = new RowTable(2 ** 28);
    for (let i = 0; i < 1000; i++) table.set(i * 200_000, i);
    expect(table.byteLength).to.be.below(2 ** 20);
    expect(table.get(999 * 200_000)).to.equal(999);
  });
});
