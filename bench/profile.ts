/** What ONNX Runtime's own profile says of the last runs of a session. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

interface Event {
  readonly cat?: string
  readonly name: string
  readonly ts: number
  readonly dur: number
  readonly args?: { readonly op_name?: string }
}

export interface Profile {
  /** Of all runs together, in ms. */
  readonly graphMs: number
  /** The part of it that matrix products take. */
  readonly productsMs: number
}

const PRODUCTS = new Set(['Gemm', 'MatMul', 'FusedMatMul', 'FusedGemm'])

/** Calls `work` with a path prefix for profiles; it ends when its session is released. */
export async function profiled (runs: number, work: (prefix: string) => Promise<void>): Promise<Profile> {
  const folder = await mkdtemp(join(tmpdir(), 'consilium-bench-'))
  try {
    await work(join(folder, 'profile'))
    const [file] = await readdir(folder)
    return summed(JSON.parse(await readFile(join(folder, file as string), 'utf8')) as Event[], runs)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function summed (events: readonly Event[], runs: number): Profile {
  const last = events.filter(({ name }) => name === 'model_run').slice(-runs)
  const products = events.filter(({ cat, ts, name, args }) =>
    cat === 'Node' && ts >= last[0]!.ts && name.endsWith('_kernel_time') && PRODUCTS.has(args?.op_name ?? '')
  )
  const ms = (list: readonly Event[]): number => list.reduce((sum, { dur }) => sum + dur / 1000, 0)
  return { graphMs: ms(last), productsMs: ms(products) }
}
