import { Slots } from './slots';

/** All that is due now. */
const settled = () => new Promise(resolve => setImmediate(resolve));

describe('slots', () => {
  it('are given to those that want one in the order in which they asked, as long as there are any', () => {
    const slots = new Slots(2);
    const asked: string[] = [];
    slots.take();
    slots.take();
    expect(slots.free).toBe(0);
    slots.want(() => {
      asked.push('a');
      slots.take();
    });
    slots.want(() => asked.push('b, which needs none'));
    slots.want(() => {
      asked.push('c');
      slots.take();
    });
    slots.give();
    expect(asked).toEqual(['a']);
    slots.give();
    expect(asked).toEqual(['a', 'b, which needs none', 'c']);
    expect([slots.running, slots.waiting, slots.free]).toEqual([2, 0, 0]);
  });

  it('do not ask who asks again within the same round', () => {
    const slots = new Slots(1);
    let times = 0;
    const ask = () => {
      times++;
      slots.want(ask);
    };
    slots.take();
    slots.want(ask);
    slots.give();
    expect(times).toBe(1);
    slots.forget(ask);
    expect(slots.waiting).toBe(0);
  });

  it('let so many runs begin, the rest in turn, and who is aborted at once', async () => {
    const slots = new Slots(1);
    const begun: string[] = [];
    const turn = (name: string, signal?: AbortSignal) =>
      slots.turn(signal).then(end => {
        begun.push(name);
        return end;
      });
    const [first, , third] = [turn('a'), turn('b'), new AbortController()];
    void turn('c', third.signal);
    const fourth = turn('d');
    await settled();
    expect(begun).toEqual(['a']);
    third.abort();
    await settled();
    expect(begun).toEqual(['a', 'c']);
    (await first)();
    await settled();
    expect(begun).toEqual(['a', 'c']);
    expect(slots.waiting).toBe(2);
    void fourth;
  });
});
