import { expect } from 'chai';
import { Kept } from '../../src/ops/kept.js';

describe('what is kept', () => {
  const counted = () => {
    const made: string[] = [];
    const kept = new Kept<{ bytes: number }>(({ bytes }) => bytes, 100);
    return {
      made,
      get: (key: string, bytes: number) =>
        kept.get(key, () => {
          made.push(key);
          return { bytes };
        }),
    };
  };

  it('is made once, and the longest unused goes first', () => {
    const { made, get } = counted();
    const a = get('a', 40);
    get('b', 40);
    expect(get('a', 40)).to.equal(a);
    get('c', 40);
    expect(get('a', 40)).to.equal(a);
    get('b', 40);
    expect(made).to.deep.equal(['a', 'b', 'c', 'b']);
  });

  it('is the last one whatever its size, and takes no more room once it went', () => {
    const { made, get } = counted();
    const large = get('large', 1000);
    expect(get('large', 1000)).to.equal(large);
    get('a', 50);
    get('b', 50);
    get('a', 50);
    get('large', 1000);
    expect(made).to.deep.equal(['large', 'a', 'b', 'large']);
  });
});
