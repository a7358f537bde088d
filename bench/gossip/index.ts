/** Real sites on this machine average real vectors: `npm run bench:gossip -- --help`. */
import { tmpdir } from 'node:os'
import { parseArgs } from 'node:util'
import { CODECS, type Codec } from '../../src/gossip-aggregation/codecs/codec.ts'
import { measureAverage, measureInARow } from './measure.ts'
import { measureRelayed } from './relayed.ts'
import { describe, reportOf } from './report.ts'

const HELP = `npm run bench:gossip -- [--sites 8] [--parameters 10000000] [--codec f32] [--folder DIR] [--short | --relayed] [--json]
  --sites       a power of two from 2 to 64
  --parameters  numbers in the adapter
  --codec       ${CODECS.join(', ')} or auto
  --folder      where homes are made (default: the folder for temporary files)
  --relayed     two sites, straight and through a relay, alternately: nothing but how fast each is
  --short       without the 200 × 4 MB and 20 × 40 MB exchanges in a row
`

const { values } = parseArgs({
  options: {
    sites: { type: 'string', default: '8' },
    parameters: { type: 'string', default: '10000000' },
    codec: { type: 'string', default: 'f32' },
    folder: { type: 'string', default: tmpdir() },
    relayed: { type: 'boolean', default: false },
    short: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false }
  }
})

if (values.help) process.stdout.write(HELP)
else await main()

async function main (): Promise<void> {
  const [sites, size] = [Number(values.sites), Number(values.parameters)]
  const codec = [...CODECS, 'auto' as const].find((each) => each === values.codec)
  if (!isPowerOfTwo(sites) || !Number.isInteger(size) || size < 1 || codec == null) {
    process.stderr.write(HELP)
    process.exitCode = 2
    return
  }
  await run(sites, size, codec)
}

async function run (sites: number, size: number, codec: Codec | 'auto'): Promise<void> {
  const { folder } = values
  if (values.relayed) {
    const { line, ...report } = await measureRelayed({ codec, folder })
    process.stdout.write(values.json ? JSON.stringify(report) + '\n' : `${line}\n`)
    return
  }
  const measured = await measureAverage({ sites, size, codec, folder })
  const inARow = values.short
    ? []
    : [
        await measureInARow({ exchanges: 200, size: 1_000_000, codec, folder }),
        await measureInARow({ exchanges: 20, size: 10_000_000, codec, folder })
      ]
  const report = reportOf({ sites, size, codec, ...measured, inARow })
  process.stdout.write(values.json ? JSON.stringify(report) + '\n' : describe(report))
}

function isPowerOfTwo (sites: number): boolean {
  return Number.isInteger(Math.log2(sites)) && sites >= 2 && sites <= 64
}
