/** What is saved comes back bit for bit: each format on every case. */
import { eachBackend, withoutLeaks } from '../support/backends.js';
import { loadedFrom, plainContents, settled } from '../support/contents.js';
import { expectSameContents, FORMAT_CASES } from '../support/formatcases.js';
import { FORMATS } from '../support/formats.js';

eachBackend('save and load', (backend) => {
  for (const { name, options = [], takes } of FORMATS) {
    for (const one of FORMAT_CASES.filter((c) => takes?.(c) ?? true)) {
      it(`${name}: ${one.name}`, () =>
        withoutLeaks(async () => {
          const made = await settled(await one.make());
          const before = await plainContents(made.contents());
          for (const how of [{}, ...options]) {
            const bytes = await made.toBytes(name, how);
            const back = await loadedFrom(bytes, `file.${name}`);
            await expectSameContents(before, back, `${JSON.stringify(how)} on ${backend}`);
            back.dispose();
          }
          made.dispose();
        }));
    }
  }
});
