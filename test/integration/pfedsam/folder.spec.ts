import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import sharp from 'sharp'
import { openFolder } from '../../../bench/pfedsam/folder.ts'
import { parseOptions } from '../../../bench/pfedsam/options.ts'
import { fundusSites } from '../../../bench/pfedsam/phantoms/fundus.ts'
import { jobsOf } from '../../../bench/pfedsam/presets.ts'
import { loadSites } from '../../../bench/pfedsam/sites.ts'
import { writeMaskPng } from '../../../src/dataset/index.ts'
import { InputError, UsageError } from '../../../src/errors.ts'
import { jobHash } from '../../../src/experiment/jobs.ts'
import { openBase } from '../../../src/experiment/run-job.ts'

const BENCH = fileURLToPath(new URL('../../../bench/pfedsam/index.ts', import.meta.url))
const SIDE = 64
const PATIENTS = 6

function patientOf ({ id }: { readonly id: string }): string {
  return /case\d+/.exec(id)![0]
}

describe('bench:pfedsam on a folder of sites', function () {
  this.timeout(240_000)
  let root: string
  let clinics: string

  before(async () => {
    root = await mkdtemp(join(tmpdir(), 'pfedsam-folder-'))
    clinics = join(root, 'clinics')
    for (const site of fundusSites.slice(0, 2)) {
      const [images, masks] = ['images', 'masks'].map((name) => join(clinics, site.name, name)) as [string, string]
      await mkdir(images, { recursive: true })
      await mkdir(masks)
      for (let patient = 0; patient < PATIENTS; patient++) {
        const { image, mask, channels } = site.draw(1, patient, SIDE)
        // Two pictures of each patient.
        for (const view of [1, 2]) {
          const name = `case${patient}_${view}.png`
          await sharp(image, { raw: { height: SIDE, width: SIDE, channels } }).png().toFile(join(images, name))
          await writeMaskPng(join(masks, name), mask, SIDE, SIDE)
        }
      }
    }
  })

  after(async () => { await rm(root, { recursive: true, force: true }) })

  it('trains on it as on phantoms, keeps runs, and says its name and never where it lies', async () => {
    const out = join(root, 'out')
    const args = ['--data', clinics, '--only', 'frozen,pfedsam-gossip', '--seeds', '1', '--rounds', '1', '--workers', '1']
    const bench = async (): Promise<string> => {
      const child = spawn(process.execPath, ['--import', 'tsx', BENCH, ...args, '--runs', join(out, 'runs'), '--out', out], {
        stdio: ['ignore', 'pipe', 'pipe']
      })
      let text = ''
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes: Buffer) => { text += bytes.toString() })
      const [code] = await once(child, 'close') as [number | null]
      expect(code, text).to.equal(0)
      return text
    }
    expect(await bench()).to.include('clinics, seeds 1').and.include(fundusSites[0]!.name).and.include('0 of them done before')
    for (const file of ['report.json', 'report.html', 'sites.csv', 'images.csv']) {
      const text = await readFile(join(out, file), 'utf8')
      expect(text, file).to.include('clinics').and.not.include(root)
    }
    expect(await readFile(join(out, 'report.html'), 'utf8')).to.not.include('All sites are simulated').and.not.include('data:image/jpeg')
    expect(await bench()).to.include('3 runs, 3 of them done before')
  })

  it('splits every site by patient, by the seed', async () => {
    const folder = await openFolder(clinics)
    const load = async (seed: number): ReturnType<typeof loadSites> =>
      await loadSites({ name: 'clinics', folder, train: 1, validation: 1, seed }, SIDE)
    const held = new Set<string>()
    for (const seed of [1, 2, 3, 4]) {
      for (const { train, validation } of await load(seed)) {
        expect(train.length + validation.length).to.equal(2 * PATIENTS)
        const trained = new Set(train.map(patientOf))
        expect(validation.some((each) => trained.has(patientOf(each)))).to.equal(false)
      }
      held.add((await load(seed))[0]!.validation.map(({ id }) => id).join())
    }
    expect(held.size).to.be.greaterThan(1)
  })

  it('a run is known by the bytes of the files, not by where they lie', async () => {
    const base = await openBase()
    const hashOf = async (path: string): Promise<string> => {
      const { preset } = await parseOptions(['--data', path, '--only', 'local', '--seeds', '1'])
      return jobHash(jobsOf(preset)[0]!, base)
    }
    const hash = await hashOf(clinics)
    const copy = join(root, 'elsewhere', 'clinics')
    await cp(clinics, copy, { recursive: true })
    expect(await hashOf(copy)).to.equal(hash)
    await writeFile(join(copy, fundusSites[0]!.name, 'masks', 'case0_1.png'), 'other bytes')
    expect(await hashOf(copy)).to.not.equal(hash)
  })

  it('refuses what is no folder of sites, with a sentence', async () => {
    const refusal = async (data: string): Promise<unknown> => await parseOptions(['--data', data]).catch((error: unknown) => error)
    expect(await refusal(join(root, 'nowhere'))).to.be.instanceOf(UsageError).and.have.property('message').that.includes('there is no')
    expect(await refusal(join(clinics, fundusSites[0]!.name, 'images'))).to.be.instanceOf(UsageError)
      .and.have.property('message').that.includes('holds 0 folders')
    const second = join(root, 'second', 'clinics')
    await cp(clinics, second, { recursive: true })
    expect(await refusal(`${clinics},${second}`)).to.be.instanceOf(UsageError)
      .and.have.property('message').that.includes('two data sets are called clinics')
    const bare = join(root, 'bare')
    await cp(join(clinics, fundusSites[0]!.name), join(bare, 'a'), { recursive: true })
    await mkdir(join(bare, 'b'))
    const folder = await openFolder(bare)
    const read = await loadSites({ name: 'bare', folder, train: 1, validation: 1, seed: 1 }, SIDE).catch((error: unknown) => error)
    expect(read).to.be.instanceOf(InputError).and.have.property('message').that.includes('bare')
  })
})
