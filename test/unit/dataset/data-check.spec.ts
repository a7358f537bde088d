import { execFile } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import sharp from 'sharp'
import { createFederation } from '../../../src/site-model/create-federation.ts'
import { folderOf, niftiBytes, png } from './fixtures.ts'

const ROOT = join(import.meta.dirname, '../../..')

interface Outcome { readonly code: number, readonly out: string, readonly err: string }

async function consilium (...args: string[]): Promise<Outcome> {
  return await new Promise((resolve) => {
    execFile(process.execPath, ['--import', 'tsx', join(ROOT, 'src/cli/index.ts'), ...args], { cwd: ROOT }, (error, out, err) => {
      resolve({ code: error == null ? 0 : Number(error.code), out, err })
    })
  })
}

describe('consilium data check', function () {
  this.timeout(60000)
  let good: Awaited<ReturnType<typeof folderOf>>
  let bad: Awaited<ReturnType<typeof folderOf>>
  let few: Awaited<ReturnType<typeof folderOf>>

  before(async () => {
    const image = await png(6, 8, (x) => x * 20)
    const mask = await png(6, 8, (x) => x > 3 ? 255 : 0)
    good = await folderOf({
      'images/p_1.png': image,
      'masks/p_1.png': mask,
      'images/p_2.png': image,
      'masks/p_2.png': image.slice(0, 40),
      'images/q_1.png': image,
      'masks/q_1.png': mask
    })
    few = await folderOf({ 'images/p_1.png': image, 'masks/p_1.png': mask })
    bad = await folderOf({ 'images/p_1.png': image, 'masks/q_1.png': image })
  })
  after(async () => { await Promise.all([good.clear(), bad.clear(), few.clear()]) })

  it('describes the data, lists problems with their files, and draws the sheet', async () => {
    const sheet = join(good.path, 'sheet.png')
    const { code, out, err } = await consilium('data', 'check', good.path, '--sheet', sheet)
    expect({ code, err }).to.deep.equal({ code: 0, err: '' })
    expect(out).to.include('2 slices of 2 subjects, 8×6 pixels, grey').and.include(
      'images/p_2.png: its mask: the picture cannot be decoded'
    ).and.include(`contact sheet: ${sheet}`)
    expect((await sharp(sheet).metadata()).format).to.equal('png')
  })

  it('prints one JSON object', async () => {
    const sheet = join(good.path, 'json.png')
    const { code, out } = await consilium('data', 'check', good.path, '--json', '--sheet', sheet)
    const result = JSON.parse(out) as { problems: { file: string }[] }
    expect(code).to.equal(0)
    expect(result).to.deep.include({ slices: 2, skipped: 1, sheet, trainable: true })
    expect(result.problems[0]!.file).to.equal('images/p_2.png')
  })

  it('does not pass what start would refuse', async () => {
    const sheet = join(few.path, 'sheet.png')
    const { code, out, err } = await consilium('data', 'check', few.path, '--json', '--sheet', sheet)
    expect(code).to.equal(1)
    expect(JSON.parse(out)).to.deep.include({ slices: 1, trainable: false })
    expect(err).to.equal(
      `consilium: ${few.path} has too few slices to split into training and validation, so consilium start would refuse it: add images\n`
    )
  })

  it('exits 1 with one sentence and writes nothing when nothing can be used', async () => {
    const sheet = join(bad.path, 'sheet.png')
    const [text, json, gone] = await Promise.all([
      consilium('data', 'check', bad.path, '--sheet', sheet),
      consilium('data', 'check', bad.path, '--json', '--sheet', sheet),
      consilium('data', 'check', join(bad.path, 'gone'))
    ])
    expect([text.code, json.code, gone.code]).to.deep.equal([1, 1, 1])
    expect(text.err).to.include('images/p_1.png: the image has no mask').and.match(
      /consilium: nothing in .* can be used, 2 files were skipped/
    )
    expect(json.err.trim().split('\n')).to.have.length(1)
    expect((JSON.parse(json.out) as { problems: unknown[] }).problems).to.have.length(2)
    expect(gone.err).to.match(/^consilium: .*gone cannot be read: it does not exist\n$/)
    expect(await readdir(bad.path)).to.deep.equal(['images', 'masks'])
  })

  it('shows whose the slices are and how bright, by the document that is named', async () => {
    const [ct, series] = ['C1-ct-predict', 'E1-one-patient-many-names'].map((name) => join(ROOT, 'test/fixtures/field-cases', name))
    const home = join(good.path, 'home')
    await createFederation({ home, name: 'x', rounds: 1, settings: { model: { window: { centre: 50, width: 100 } } } })
    const sheet = ['--sheet', join(good.path, 'named.png')]
    const [text, plain, windowed] = await Promise.all([
      consilium('data', 'check', series!, ...sheet),
      consilium('data', 'check', ct!, '--json', '--sheet', join(good.path, 'ct.png')),
      consilium('data', 'check', ct!, '--json', '--federation', join(home, 'federation.json'), '--sheet', join(good.path, 'window.png'))
    ])
    expect(text.out).to.include('12 slices of 1 subject: IM-0001')
    expect(JSON.parse(plain.out)).to.deep.include({
      brightness: [{ how: 'window', because: 'stated', range: [-160, 240], images: 2 }],
      bySubject: [{ subject: 'c_001', slices: 4 }, { subject: 'c_002', slices: 4 }],
      subjectsBy: { site: 0, folder: 0, name: 2 }
    })
    expect(JSON.parse(windowed.out)).to.deep.include({
      brightness: [{ how: 'window', because: 'document', range: [0, 100], images: 2 }]
    })
  })

  it('counts what is known of images, and what a federation of other kinds leaves out', async () => {
    const [image, mask] = [await png(6, 8, (x) => x * 20), await png(6, 8, (x) => x > 3 ? 255 : 0)]
    const site = await folderOf({
      ...Object.fromEntries(['a', 'b', 'c', 'd', 'e', 'f'].map((name) => [`images/${name}.png`, image])),
      'masks/a.png': mask,
      'masks/b.png': mask,
      'scribbles/c.png': await png(6, 8, (x, y) => y === 2 ? 1 : 255),
      'points.json': '{ "d": [[5, 3, 1], [0, 0, 0]] }',
      'boxes.json': '{ "e": [[4, 0, 8, 6]] }'
    })
    const home = join(site.path, 'home')
    await createFederation({ home, name: 'x', rounds: 1 })
    const [named, all] = await Promise.all([
      consilium('data', 'check', site.path, '--json', '--federation', join(home, 'federation.json')),
      consilium('data', 'check', site.path)
    ])
    expect(all.out).to.match(/by what is known of them: 2 whole masks, 1 with scribbles, 1 with points, 1 with boxes; .* 10\.4 % .* known/)
    expect(all.out).to.include('Dice is measured on 1 subject with masks').and.include('1 image without labels left out')
    const nothing = { block: 0, scribble: 0, points: 0, box: 0, none: 0, knownShare: 0 }
    expect(JSON.parse(named.out)).to.deep.include({ supervision: { mask: 2, ...nothing, validationSubjects: 1 } })
    await site.clear()
  })

  it('says which channels there are, which fill which plane, and which cases lack one', async () => {
    const volume = niftiBytes({ dims: [8, 8, 3], values: Array.from({ length: 192 }, (_, i) => i * 7 % 500), datatype: 4 })
    const label = niftiBytes({ dims: [8, 8, 3], values: Array.from({ length: 192 }, (_, i) => i % 3 === 0 ? 1 : 0) })
    const cases = ['a', 'b', 'c'].map((name) => [[`imagesTr/${name}_0000.nii`, volume], [`labelsTr/${name}.nii`, label]])
    const data = await folderOf({
      'dataset.json': '{"channel_names":{"0":"T2","1":"ADC"}}',
      ...Object.fromEntries(cases.flat()) as Record<string, Uint8Array>,
      'imagesTr/a_0001.nii': volume,
      'imagesTr/b_0001.nii': volume
    })
    const home = join(data.path, 'home')
    const settings = { model: { channels: [1, 0], window: ['auto', { centre: 9, width: 9 }] } }
    await createFederation({ home, name: 'x', rounds: 1, settings })
    const sheet = ['--sheet', join(data.path, 'sheet.png')]
    const [plain, text, json] = await Promise.all([
      consilium('data', 'check', data.path, ...sheet),
      consilium('data', 'check', data.path, '--federation', home, ...sheet),
      consilium('data', 'check', data.path, '--federation', home, '--json', ...sheet)
    ])
    expect(plain.out).to.include('channels found: 0 (T2) in 3 images, 1 (ADC) in 2 images; model.channels')
    expect(text.out)
      .to.include('by model.channels plane 1 shows channel 1 (ADC), plane 2 shows channel 0 (T2), plane 3 shows channel 0 (T2)')
      .and.include('imagesTr/c_0000.nii: the case lacks channel 1')
      .and.include('plane 2, channel 0: 2 images shown from 4.5 to 13.5')
    expect(JSON.parse(json.out)).to.deep.include({
      subjects: 2,
      channels: { found: [{ channel: 0, name: 'T2', images: 3 }, { channel: 1, name: 'ADC', images: 2 }], planes: [1, 0, 0] },
      reasons: { 'the case lacks channel 1, which model.channels names: add its file _0001, or leave the case out': 1 }
    })
    await data.clear()
  })

  it('prints its summary where no sheet can be written', async () => {
    const sheet = join(good.path, 'images/p_1.png/sheet.png')
    const { code, out, err } = await consilium('data', 'check', good.path, '--sheet', sheet)
    expect(out).to.include('2 slices of 2 subjects').and.to.not.include('contact sheet:')
    expect(err).to.match(/^consilium: no contact sheet: .*sheet.png cannot be written: /)
    expect(code).to.equal(1)
  })

  it('exits 2 for a mistyped flag and names the known one', async () => {
    const { code, err } = await consilium('data', 'check', good.path, '--shet', 'x.png')
    expect(code).to.equal(2)
    expect(err).to.equal('consilium: unknown flag --shet: did you mean --sheet?\n')
  })
})
