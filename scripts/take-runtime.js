import { copyFileSync, existsSync, linkSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

const MACHINES = new Set(['linux/x64', 'linux/arm64', `${process.platform}/${process.arch}`])
const NATIVE = ['onnxruntime_binding.node', 'libonnxruntime.so.1', 'libonnxruntime.1.dylib', 'onnxruntime.dll']
const SCRIPTS = ['index', 'backend', 'binding', 'version'].flatMap((name) => [`dist/${name}.js`, `dist/${name}.d.ts`])

/** What of the package onnxruntime-node runs goes to `to`; CUDA's libraries, which a user may have put there, stay. */
export function takeRuntime (from, to) {
  const native = [...MACHINES].flatMap((machine) => NATIVE.map((name) => `bin/napi-v6/${machine}/${name}`))
  for (const file of [...SCRIPTS, ...native]) if (existsSync(join(from, file))) take(join(from, file), join(to, file))
  const { name, version, license, author, repository } = JSON.parse(readFileSync(join(from, 'package.json'), 'utf8'))
  writeFileSync(join(to, 'package.json'), `${JSON.stringify({ name, version, license, author, repository, type: 'commonjs' }, null, 2)}\n`)
}

/** A link where the file system can: the libraries have 70 MB. */
function take (from, to) {
  if (existsSync(to) && statSync(to).ino === statSync(from).ino) return
  mkdirSync(dirname(to), { recursive: true })
  rmSync(to, { force: true })
  try {
    linkSync(from, to)
  } catch {
    copyFileSync(from, to)
  }
}
