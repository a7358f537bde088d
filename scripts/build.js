/**
 * Compiles TypeScript and WebAssembly, bundles the gradient registry of tfjs-core, whose own files are extensionless ESM, and takes from
 * onnxruntime-node what runs, without its script of installation (docs/adr).
 */
import { spawnSync } from 'node:child_process'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { build } from 'esbuild'
import wabt from 'wabt'
import { takeRuntime } from './take-runtime.js'

const require = createRequire(import.meta.url)
const root = join(import.meta.dirname, '..')
const core = dirname(require.resolve('@tensorflow/tfjs-core/package.json'))

await build({
  entryPoints: [join(core, 'dist/register_all_gradients.js')],
  outfile: join(root, 'build/tfjs-gradients.cjs'),
  bundle: true,
  platform: 'node',
  format: 'cjs',
  logLevel: 'warning'
})

takeRuntime(dirname(require.resolve('onnxruntime-node/package.json')), join(root, 'build/onnxruntime'))

const kernels = join(root, 'src/gossip-aggregation/vectors/vectors.wat')
const { buffer } = (await wabt()).parseWat(kernels, readFileSync(kernels, 'utf8'), { simd: true }).toBinary({})
writeFileSync(
  join(root, 'build/vector-kernels.cjs'),
  `module.exports = Buffer.from('${Buffer.from(buffer).toString('base64')}', 'base64')\n`
)

const tsc = join(dirname(require.resolve('typescript/package.json')), 'bin/tsc')
const { status } = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' })
// npx makes the command executable once, as it links this folder; a link that is older than this build would find it without.
if (status === 0) chmodSync(join(root, 'dist/src/cli/index.js'), 0o755)
process.exit(status ?? 1)
