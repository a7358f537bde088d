import { expect } from 'chai'
import fc from 'fast-check'
import { labelMapOf, scanDataset, summarise, describeSummary, UNKNOWN, type Dataset } from '../../../src/dataset/index.ts'
import { decodeLabels } from '../../../src/dataset/labels/decode-labels.ts'
import { LabelBook } from '../../../src/dataset/labels/label-book.ts'
import type { LabelMap } from '../../../src/dataset/labels/label-map.ts'
import { labelRules } from '../../../src/dataset/labels/label-rules.ts'
import { entriesOf, type StatedLabels } from '../../../src/dataset/labels/site-labels.ts'
import { InputError } from '../../../src/errors.ts'
import { folderOf, niftiBytes, png } from './fixtures.ts'

const organs = labelMapOf([{ name: 'Liver', value: 1 }, { name: 'spleen', value: 2 }, { name: 'ignore', value: 255 }])
const nested = labelMapOf([{ name: 'brain', values: [1, 2] }, { name: 'deep-grey', value: 2 }])
const lone = labelMapOf([{ name: 'tumour', value: 1 }])

const columns = async (...values: number[]): Promise<Uint8Array> => await png(12, 12, (x) => values[x % values.length]!)

async function scan (files: Record<string, string | Uint8Array>, labels?: LabelMap): Promise<Dataset> {
  const folder = await folderOf({ 'images/a.png': await png(12, 12, (x, y) => x * 7 + y), ...files })
  try {
    return await scanDataset(folder.path, { labels })
  } finally {
    await folder.clear()
  }
}

/** What each value became. */
const became = ({ labels }: Dataset): Record<number, string | null> =>
  Object.fromEntries(labels.map(({ value, becomes }) => [value, becomes]))
const codes = ({ slices }: Dataset): number[] => [...new Set(slices.flatMap(({ mask }) => [...mask]))].sort((a, b) => a - b)
const stated = (labels: unknown, source: StatedLabels['source'] = 'labels.json', other?: unknown): StatedLabels =>
  ({ source, labels: entriesOf(labels)!, ...other == null ? {} : { other: entriesOf(other)! } })

describe('what a value in a mask means', () => {
  it('is the federation\'s own number where a site says nothing', async () => {
    const dataset = await scan({ 'masks/a.png': await columns(0, 1, 2, 255, 7) }, organs)
    expect(became(dataset)).to.deep.equal({ 0: 'background', 1: 'Liver', 2: 'spleen', 7: null, 255: 'not known' })
    expect(codes(dataset)).to.deep.equal([0, 1, 2, UNKNOWN])
    expect(dataset.labelWarnings.join()).to.include('no rule says what the label 7 is')
    expect(dataset).to.include({ classes: 2, labelsBy: 'values' })
  })

  it('is what labels.json says, by name, by the federation\'s number, and by range', async () => {
    const file = JSON.stringify({ 3: 'LIVER', '10-20': 'spleen', 30: 'ignore', 40: 'background', 50: 2 })
    const dataset = await scan({ 'masks/a.png': await columns(0, 3, 12, 20, 30, 40, 50), 'labels.json': file }, organs)
    expect(became(dataset)).to.deep.equal({
      0: 'background', 3: 'Liver', 12: 'spleen', 20: 'spleen', 30: 'not known', 40: 'background', 50: 'spleen'
    })
    expect(dataset.labelsBy).to.equal('labels.json')
  })

  it('is what dataset.json says in either of its forms; names that the federation does not know are none of its classes', async () => {
    for (const labels of [{ background: 0, kidney: 1, liver: 2, spleen: 3 }, { 0: 'background', 1: 'kidney', 2: 'Liver', 3: 'Spleen' }]) {
      const dataset = await scan({ 'masks/a.png': await columns(0, 1, 2, 3), 'dataset.json': JSON.stringify({ labels }) }, organs)
      expect(became(dataset)).to.deep.equal({ 0: 'background', 1: 'background', 2: 'Liver', 3: 'spleen' })
      expect(codes(dataset)).to.deep.equal([0, 1, 2])
    }
  })

  it('may be several classes at once', async () => {
    const dataset = await scan({ 'masks/a.png': await columns(0, 1, 2) }, nested)
    expect(became(dataset)).to.deep.equal({ 0: 'background', 1: 'brain', 2: 'brain and deep-grey' })
    const regions = labelRules(stated({ brain: [5, 6], 'deep grey': 6 }), nested).rule!
    expect([regions(5), regions(6)]).to.deep.equal([1, 2])
    const plain = labelRules(stated({ 5: 'brain', 6: 'deep_grey' }), nested).rule!
    expect([plain(5), plain(6), plain(0), plain(9)]).to.deep.equal([1, 2, 0, undefined])
  })

  it('is the one class for masks of 0 and one other value, whatever that is', async () => {
    for (const value of [1, 9, 255]) {
      const dataset = await scan({ 'masks/a.png': await columns(0, value) }, lone)
      expect([became(dataset), codes(dataset)]).to.deep.equal([{ 0: 'background', [value]: 'tumour' }, [0, 1]])
    }
    expect(became(await scan({ 'masks/a.png': await columns(0, 128, 255) }, organs))).to.include({ 128: null })
  })

  it('is foreground for everything above 0 without a federation, but for what nobody knows', async () => {
    expect(codes(await scan({ 'masks/a.png': await columns(0, 1, 2) }))).to.deep.equal([0, 1, 2])
    for (const labels of [{ background: 0, tumour: 1, ignore: 2 }, { 0: 'background', 1: 'tumour', 2: 'Ignore' }]) {
      const dataset = await scan({ 'masks/a.png': await columns(0, 1, 2), 'dataset.json': JSON.stringify({ labels }) })
      expect([became(dataset), codes(dataset)]).to.deep.equal([{ 0: 'background', 1: 'foreground', 2: 'not known' }, [0, 1, UNKNOWN]])
      expect(summarise(dataset).foreground).to.equal(1 / 3)
    }
  })

  it('names what is missing and what cannot be', async () => {
    expect((await scan({ 'masks/a.png': await columns(0, 1) }, organs)).lacking).to.deep.equal(['spleen'])
    const { slices } = await scan({ 'masks/a.png': await columns(0, 1) }, organs)
    expect(slices[0]!.lacks).to.deep.equal([1])
    const declared = await scan({ 'masks/a.png': await columns(0, 1), 'labels.json': '{ "1": "liver", "2": "spleen" }' }, organs)
    expect([declared.lacking, declared.slices[0]!.lacks]).to.deep.equal([[], undefined])
    expect(() => labelRules(stated({ 1: 'lung' }), organs)).to.throw(InputError, 'labels.json speaks of lung')
    expect(() => labelRules(stated({ lung: 1 }, 'dataset.json'), organs)).to.throw(InputError, 'names none of the federation\'s classes')
    for (const wrong of ['7', '"x"', '{ "1": {} }', '{ "9-2": "liver" }', '{ "liver": -1 }', '[1]']) {
      const error = await scan({ 'masks/a.png': await columns(0, 1), 'labels.json': wrong }, organs).catch((each: unknown) => each)
      expect(error, wrong).to.be.instanceOf(InputError).with.property('message').that.includes('is not a map of labels')
    }
  })

  it('is warned of where two labels look swapped', async () => {
    const dataset = await scan({ 'masks/a.png': await columns(0, 1, 2), 'labels.json': '{ "1": "spleen", "2": "liver" }' }, organs)
    expect(dataset.labelWarnings).to.have.length(1)
    expect(describeSummary(summarise(dataset))).to.include('look at this: labels 1 and 2 look swapped')
    const against = labelRules(stated({ 3: 'spleen', 4: 'liver' }, 'labels.json', { liver: 3, spleen: 4 }), organs)
    expect(against.warnings.join()).to.include('label 3 has another name in labels.json than in dataset.json')
    expect(labelRules(stated({ 1: 'liver', 2: 'spleen' }), organs).warnings).to.deep.equal([])
  })

  it('takes labels of any number and any size, in volumes too', async () => {
    const values = Array.from({ length: 6 * 6 * 12 }, (_, i) => i < 350 ? 0 : 900 + i)
    const volume = niftiBytes({ dims: [6, 6, 12], datatype: 4, values })
    const image = niftiBytes({ dims: [6, 6, 12], values: values.map((_, i) => i % 200) })
    const files = { 'images/v.nii': image, 'masks/v.nii': volume }
    const folder = await folderOf(files)
    const mapped = await folderOf({ ...files, 'labels.json': '{ "900-1270": "liver", "1271-2000": "spleen" }' })
    try {
      const { slices, labels } = await scanDataset(folder.path)
      expect(slices.flatMap(({ mask }) => [...mask]).filter((label) => label > 0 && label < UNKNOWN)).to.have.length(82)
      expect(labels).to.have.length(83)
      const dataset = await scanDataset(mapped.path, { labels: organs })
      expect(dataset.slices.flatMap(({ mask }) => [...mask]).filter((label) => label === 1)).to.have.length(21)
      expect(describeSummary(summarise(dataset))).to.include('  1250–1270: Liver, 21 pixels')
    } finally {
      await Promise.all([folder.clear(), mapped.clear()])
    }
  })
})

describe('a book of labels', () => {
  it('keeps every value apart from those that become something else, and counts them', () => {
    fc.assert(fc.property(
      fc.array(fc.integer({ min: 0, max: 3000 }), { minLength: 1, maxLength: 600 }),
      fc.integer({ min: 1, max: 250 }),
      (values, classes) => {
        const rule = (value: number): number | undefined => {
          if (value === 0) return 0
          return value % 7 === 6 ? undefined : value % 5 === 4 ? UNKNOWN : value % classes
        }
        const book = new LabelBook(rule, classes)
        const bytes = book.encode(values)
        const known = new Map(book.values.map(({ byte, code }) => [byte, code]))
        values.forEach((value, i) => { expect(known.get(bytes[i]!)).to.equal(rule(value)) })
        expect(book.values.reduce((sum, { pixels }) => sum + pixels, 0)).to.equal(values.length)
      }
    ))
  })
})

describe('codes out of logits', () => {
  it('are the highest positive class where classes exclude each other', () => {
    const logit = fc.float({ noNaN: true, min: -9, max: 9 })
    fc.assert(fc.property(fc.array(fc.tuple(logit, logit), { minLength: 1 }), (pixels) => {
      const [a, b] = [0, 1].map((c) => Float32Array.from(pixels, (pixel) => pixel[c]!)) as [Float32Array, Float32Array]
      const expected = pixels.map((_, i) => Math.max(a[i]!, b[i]!) > 0 ? a[i]! >= b[i]! ? 1 : 2 : 0)
      expect([...decodeLabels([a, b], organs)]).to.deep.equal(expected)
    }))
  })

  it('are the likeliest combination where one lies within the other', () => {
    const [brain, deep] = [Float32Array.from([3, 3, -1, -4, 1]), Float32Array.from([-2, 2, 4, 1, -1])]
    expect([...decodeLabels([brain, deep], nested)]).to.deep.equal([1, 2, 2, 0, 1])
  })
})
