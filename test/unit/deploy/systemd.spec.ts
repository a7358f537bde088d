import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { program } from '../../../src/cli/program.ts'

const UNIT = join(import.meta.dirname, '../../../deploy/systemd/consilium.service')
/** In tenths; systemd calls less than 50 of 100 not exposed. */
const MOST_EXPOSED = 25

describe('the systemd unit', function () {
  this.timeout(60_000)
  const text = readFileSync(UNIT, 'utf8')

  /** What systemd-analyze says of the unit, where it finds fault; its program stands for the one that is not installed here. */
  function faults (...args: string[]): string {
    const folder = mkdtempSync(join(tmpdir(), 'consilium-'))
    const file = join(folder, 'consilium.service')
    writeFileSync(file, text.replace('/usr/local/bin/consilium', process.execPath))
    const { status, stdout, stderr } = spawnSync('systemd-analyze', [...args, file], { encoding: 'utf8' })
    rmSync(folder, { recursive: true })
    return status === 0 ? '' : stdout + stderr
  }

  it('starts what the command line knows', async () => {
    const [, line = ''] = /^ExecStart=\/usr\/local\/bin\/consilium (.*)$/m.exec(text) ?? []
    const parser = program(line.split(' ')).middleware(() => { throw new Error('far enough') }, false)
    const reached = await (async () => await parser.parseAsync())().then(() => 'its end', (error: Error) => error.message)
    expect(reached).to.equal('far enough')
  })

  describe('as systemd-analyze sees it', () => {
    before(function () {
      if (spawnSync('systemd-analyze', ['--version']).error == null) return
      console.log('      skipped: systemd-analyze is missing')
      this.skip()
    })

    it('is well formed', () => {
      expect(faults('verify', '--man=no')).to.equal('')
    })

    it('gives the service little to attack', () => {
      expect(faults('security', '--offline=true', `--threshold=${MOST_EXPOSED}`)).to.equal('')
      expect(faults('security', '--offline=true', '--threshold=1')).to.include('exposure level')
    })
  })
})
