/**
 * Names that may share an object, as the steps run one after the other: a union-find over name versions, in which binding a name anew
 * takes it out of its group. It only predicts; what really is shared is seen at run time.
 */
const nobody: readonly string[] = [];

export class Aliases {
  private readonly nodes = new Map<string, number>();
  private readonly parent: number[] = [];
  private readonly names: string[] = [];
  private readonly members: number[][] = [];

  /** The name is bound to something new. */
  rebind(name: string): void {
    if (this.nodes.has(name)) this.nodes.set(name, this.node(name));
  }

  /** The names may share an object from now on. */
  join(a: string, b: string): void {
    let x = this.find(this.current(a));
    let y = this.find(this.current(b));
    if (x === y) return;
    if (this.members[x]!.length < this.members[y]!.length) [x, y] = [y, x];
    this.parent[y] = x;
    this.members[x]!.push(...this.members[y]!);
    this.members[y] = [];
  }

  /** Other names that may share the name's object. Groups beyond `limit` say little and are left to observation. */
  of(name: string, limit = 32): readonly string[] {
    const node = this.nodes.get(name);
    if (node === undefined) return nobody;
    const members = this.members[this.find(node)]!;
    if (members.length === 1 || members.length > limit) return nobody;
    return members.filter(member => member !== node && this.nodes.get(this.names[member]!) === member).map(member => this.names[member]!);
  }

  private current(name: string): number {
    let node = this.nodes.get(name);
    if (node === undefined) {
      node = this.node(name);
      this.nodes.set(name, node);
    }
    return node;
  }

  private node(name: string): number {
    const node = this.parent.length;
    this.parent.push(node);
    this.names.push(name);
    this.members.push([node]);
    return node;
  }

  private find(node: number): number {
    let at = node;
    while (this.parent[at] !== at) {
      this.parent[at] = this.parent[this.parent[at]!]!;
      at = this.parent[at]!;
    }
    return at;
  }
}
