import 'fake-indexeddb/auto';
import { expect } from 'chai';
import { ready, WavetableMatrix } from '../../src/index.js';
import { downloadStorage } from '../../src/storage/browser.js';
import { httpStorage } from '../../src/storage/http.js';
import { makeCube } from '../support/cubes.js';

describe('a browser’s storages', () => {
  before(() => ready({ backend: 'cpu' }));

  it('indexeddb:// keeps a cube, and says when there is none', async () => {
    const { cube } = makeCube();
    await cube.save('indexeddb://mine');
    const back = await WavetableMatrix.load('indexeddb://mine');
    expect(back.nodeCount).to.equal(36);
    let refused = '';
    await WavetableMatrix.load('indexeddb://other').catch((error) => {
      refused = error.message;
    });
    expect(refused).to.contain('nothing of this name');
    cube.dispose();
    back.dispose();
  });

  it('downloads:// hands the bytes to the page as a file', async () => {
    interface Link {
      download?: string;
      href?: string;
      click(): void;
    }
    const clicked: Link[] = [];
    const page = globalThis as { document?: unknown };
    page.document = {
      createElement: (): Link => ({
        click() {
          clicked.push(this);
        },
      }),
    };
    try {
      expect(downloadStorage.serves('downloads://a.npz')).to.equal(true);
      await downloadStorage.write('downloads://a.npz', Uint8Array.of(1, 2));
      expect(clicked[0].download).to.equal('a.npz');
      expect(clicked[0].href).to.match(/^blob:/);
      let refused = '';
      await downloadStorage.read('downloads://a.npz').catch((error) => {
        refused = error.message;
      });
      expect(refused).to.contain('fromBytes');
      expect(httpStorage.serves('cubes/a.npz')).to.equal(true);
    } finally {
      delete page.document;
    }
    expect(downloadStorage.serves('downloads://a.npz')).to.equal(false);
  });
});
