/** npm 10 takes the link to Node 22 away again as it drops the package of the other processor: puts it back. */
import { existsSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'

const modules = join(import.meta.dirname, '../node_modules')
const binary = `node-${process.platform}-${process.arch}/bin/node`
const link = join(modules, '.bin/node')

if (existsSync(join(modules, binary)) && !existsSync(link)) {
  rmSync(link, { force: true })
  symlinkSync(join('..', binary), link)
}
