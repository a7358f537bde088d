/** A grid of `side` × `side` cells, row by row; features of cell i are `channels` numbers from i·channels on. */
interface Grid {
  readonly side: number
  readonly channels: number
  readonly features: Float32Array
}

interface Edge { readonly a: number, readonly b: number, readonly length: number }

/**
 * How alike any two cells are along the minimum spanning tree of the grid (4 neighbours), row-normalised, [cells²]: the product over the
 * path's edges of exp(−‖f_a − f_b‖²/sigma), over its row's sum (the tree filter of TreeFCN, Song et al. 2019).
 */
export function treeAffinity (grid: Grid, sigma: number): Float32Array {
  const cells = grid.side ** 2
  const { first, to, likeness } = flat(spanningTree(grid), sigma)
  const affinity = new Float32Array(cells * cells)
  const stack = new Int32Array(cells)
  const from = new Int32Array(cells)
  for (let root = 0; root < cells; root++) {
    const row = affinity.subarray(root * cells, (root + 1) * cells)
    let [top, sum] = [1, 1]
    stack[0] = root
    from[root] = -1
    row[root] = 1
    while (top > 0) {
      const cell = stack[--top]!
      const [parent, here, end] = [from[cell]!, row[cell]!, first[cell + 1]!]
      for (let edge = first[cell]!; edge < end; edge++) {
        const next = to[edge]!
        if (next === parent) continue
        row[next] = here * likeness[edge]!
        sum += row[next]
        from[next] = cell
        stack[top++] = next
      }
    }
    for (let i = 0; i < cells; i++) row[i]! /= sum
  }
  return affinity
}

/** The edges of cell i are those from `first[i]` to `first[i + 1]`: every step of training walks them a million times. */
interface FlatTree { readonly first: Int32Array, readonly to: Int32Array, readonly likeness: Float64Array }

function flat (tree: ReturnType<typeof spanningTree>, sigma: number): FlatTree {
  const edges = tree.flat()
  const first = new Int32Array(tree.length + 1)
  tree.forEach(({ length }, cell) => { first[cell + 1] = first[cell]! + length })
  return {
    first,
    to: Int32Array.from(edges, (edge) => edge.to),
    likeness: Float64Array.from(edges, ({ length }) => Math.exp(-length / sigma))
  }
}

/** Of each cell the neighbours in the tree (Kruskal); where edges are as long, the one that comes first. */
export function spanningTree (grid: Grid): ReadonlyArray<ReadonlyArray<{ readonly to: number, readonly length: number }>> {
  const cells = grid.side ** 2
  const tree = Array.from({ length: cells }, () => [] as { to: number, length: number }[])
  const group = Int32Array.from({ length: cells }, (_, i) => i)
  const rootOf = (cell: number): number => {
    let at = cell
    while (group[at] !== at) at = group[at] = group[group[at]!]!
    return at
  }
  for (const { a, b, length } of edgesOf(grid).sort((one, other) => one.length - other.length)) {
    const [one, other] = [rootOf(a), rootOf(b)]
    if (one === other) continue
    group[one] = other
    tree[a]!.push({ to: b, length })
    tree[b]!.push({ to: a, length })
  }
  return tree
}

function edgesOf ({ side, channels, features }: Grid): Edge[] {
  const edges: Edge[] = []
  const add = (a: number, b: number): void => {
    let length = 0
    for (let c = 0; c < channels; c++) length += (features[a * channels + c]! - features[b * channels + c]!) ** 2
    edges.push({ a, b, length })
  }
  for (let cell = 0; cell < side ** 2; cell++) {
    if (cell % side < side - 1) add(cell, cell + 1)
    if (cell < side * (side - 1)) add(cell, cell + side)
  }
  return edges
}
