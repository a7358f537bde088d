import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import yargs, { type CommandModule } from 'yargs'
import { audit } from '../../../../src/cli/cmds/audit.ts'
import { doctor } from '../../../../src/cli/cmds/doctor.ts'
import { evaluate } from '../../../../src/cli/cmds/evaluate.ts'
import { exportAdapter } from '../../../../src/cli/cmds/export.ts'
import { federation } from '../../../../src/cli/cmds/federation.ts'
import { id, init } from '../../../../src/cli/cmds/identity.ts'
import { invite } from '../../../../src/cli/cmds/invite.ts'
import { join as joinCommand } from '../../../../src/cli/cmds/join.ts'
import { members, revoke } from '../../../../src/cli/cmds/members.ts'
import { model } from '../../../../src/cli/cmds/model.ts'
import { predict } from '../../../../src/cli/cmds/predict.ts'
import { start } from '../../../../src/cli/cmds/start.ts'
import { peers, status } from '../../../../src/cli/cmds/status.ts'
import { loadOrCreateIdentity, readPeerId } from '../../../../src/federation/identity.ts'
import { sitePaths } from '../../../../src/home/paths.ts'

const IMAGE = 'samples/colin27/hospital-a/images/colin-095.png'

describe('a home of newer software', () => {
  let home: string
  let peerId: string

  before(async () => {
    home = await mkdtemp(join(tmpdir(), 'consilium-'))
    const { identity } = sitePaths(home)
    await loadOrCreateIdentity(identity)
    peerId = await readPeerId(identity)
    await writeFile(join(home, 'home.json'), JSON.stringify({ format: 99, software: '9.1.0' }))
  })

  after(async () => { await rm(home, { recursive: true }) })

  const commands = new Map<string, [CommandModule<object, never>, () => string[]]>(Object.entries({
    init: [init, () => []],
    id: [id, () => []],
    'id rotate': [id, () => []],
    'id protect': [id, () => []],
    'federation create': [federation, () => ['--name', 'x']],
    'federation sign': [federation, () => [join(home, 'federation.json')]],
    'federation show': [federation, () => []],
    'federation verify': [federation, () => []],
    'federation rotate-key': [federation, () => []],
    invite: [invite, () => [peerId]],
    join: [joinCommand, () => ['consilium1…']],
    members: [members, () => []],
    revoke: [revoke, () => [peerId]],
    start: [start, () => ['--data', 'samples/colin27/hospital-a']],
    status: [status, () => []],
    peers: [peers, () => []],
    predict: [predict, () => ['--image', IMAGE, '--out', join(home, 'mask.png')]],
    evaluate: [evaluate, () => ['--data', 'samples/colin27/hospital-a']],
    export: [exportAdapter, () => ['--out', join(home, 'out.safetensors')]],
    doctor: [doctor, () => []],
    'model import': [model, () => ['x.pth']],
    'model list': [model, () => []],
    'model info': [model, () => ['sam-tiny']],
    'audit verify': [audit, () => []],
    'audit show': [audit, () => []],
    'audit export': [audit, () => ['--out', join(home, 'bundle')]],
    'audit reconcile': [audit, () => [home, home]]
  }) as never)

  for (const [name, [command, args]] of commands) {
    it(`is refused by ${name}, and left as it is`, async () => {
      const words = [...name.split(' '), ...args(), ...(name === 'audit reconcile' ? [] : ['--home', home])]
      const error = await yargs(words).command(command).exitProcess(false)
        .fail((message, thrown: Error | undefined) => { throw thrown ?? new Error(message) })
        .parseAsync().then(() => undefined, (reason: unknown) => reason as Error)
      expect(error?.message).to.contain('has format 99, which consilium 9.1.0 wrote')
      expect(await readdir(home)).to.have.members(['home.json', 'identity.key'])
    })
  }
})
