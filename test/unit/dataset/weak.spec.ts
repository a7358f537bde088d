import { expect } from 'chai'
import fc from 'fast-check'
import { seededRandom } from '../../../src/common/random.ts'
import {
  augment, EVERYTHING, fitSlice, growSplit, labelMapOf, loadDataset, scanDataset, summarise, describeSummary, toClassTargets, UNKNOWN,
  viewedSlices, type Dataset, type Fitted, type LabelKind, type LoadOptions, type Slice
} from '../../../src/dataset/index.ts'
import { folderOf, niftiBytes, png } from './fixtures.ts'

const MARKED: LabelKind[] = ['mask', 'block', 'scribble', 'points', 'box']
const [H, W] = [40, 60]

type Files = Record<string, string | Uint8Array>

async function within<T> (files: Files, use: (path: string) => Promise<T>): Promise<T> {
  const folder = await folderOf(files)
  try {
    return await use(folder.path)
  } finally {
    await folder.clear()
  }
}

async function scanned (files: Files, options: LoadOptions = { kinds: MARKED }): Promise<Dataset> {
  return await within(files, async (path) => await scanDataset(path, options))
}

async function picture (): Promise<Uint8Array> {
  return await png(H, W, (x, y) => (x * 3 + y * 2) % 256)
}

function slice (own: Partial<Slice> & Pick<Slice, 'height' | 'width'>): Slice {
  const size = own.height * own.width
  return {
    id: 'a',
    subject: 'a',
    index: 0,
    channels: 1,
    image: new Uint8Array(size),
    mask: new Uint8Array(size).fill(UNKNOWN),
    kind: 'scribble',
    ...own
  }
}

const TRIANGLE = [[10, 5], [30, 5], [30, 25]]
const coco = (annotations: object[], own: object = {}): string => JSON.stringify({
  images: [{ id: 7, file_name: 'p1.png', width: W, height: H, ...own }],
  categories: [{ id: 3, name: 'lesion' }],
  annotations: annotations.map((each, id) => ({ id, image_id: 7, category_id: 3, bbox: [10, 5, 20, 20], ...each }))
})
const labelme = (shapes: object[], own: object = {}): string =>
  JSON.stringify({ version: '5', imagePath: 'p1.png', imageData: null, imageWidth: W, imageHeight: H, shapes, ...own })

describe('weak labels', function () {
  this.timeout(60000)

  it('reads points and boxes by name, of which the strongest is the kind', async () => {
    const image = await picture()
    const { slices, problems } = await scanned({
      'images/p1.png': image,
      'images/p2.png': image,
      'images/p3.png': image,
      'points.json': JSON.stringify({ p1: [[20, 10, 1], [2, 3, 0]], 'p2.png': [[5, 6, 1]] }),
      'boxes.json': JSON.stringify({ p1: [[10, 5, 30, 25, 1]], p3: [[30, 25, 10, 5]] })
    })
    expect(problems).to.deep.equal([])
    expect(slices.map(({ id, kind }) => [id, kind])).to.deep.equal([['p1', 'points'], ['p2', 'points'], ['p3', 'box']])
    expect(slices[0]!.marks).to.deep.equal({ points: [[20, 10, 1], [2, 3, 0]], boxes: [[10, 5, 30, 25, 1]] })
    expect(slices[2]!.marks!.boxes).to.deep.equal([[10, 5, 30, 25, 1]])
  })

  it('reads scribbles and blocks, in which 255 is not known, black and white ones too', async () => {
    const scribble = await png(H, W, (x, y) => y === 20 ? 1 : y === 2 ? 0 : 255)
    const block = await png(H, W, (x, y) => x > 50 && y < 5 ? 0 : 255)
    const { slices, problems } = await scanned({
      'images/p1.png': await picture(), 'scribbles/p1.png': scribble, 'blocks/p1.png': block
    })
    expect(problems).to.deep.equal([])
    const [{ kind, mask }] = slices as [Slice]
    expect(kind).to.equal('block')
    expect([mask[20 * W], mask[2 * W], mask[3 * W + 55], mask[30 * W]]).to.deep.equal([1, 0, 0, UNKNOWN])
  })

  it('takes whole masks above all else, and without a federation that names kinds nothing else', async () => {
    const image = await picture()
    const files = {
      'images/p1.png': image,
      'masks/p1.png': await png(H, W, (x) => x > 30 ? 255 : 0),
      'images/p2.png': image,
      'points.json': JSON.stringify({ p1: [[1, 1, 1]], p2: [[1, 1, 1]] })
    }
    const weak = await scanned(files)
    expect(weak.slices.map(({ id, kind }) => [id, kind])).to.deep.equal([['p1', undefined], ['p2', 'points']])
    expect(weak.problems).to.deep.equal([])
    const before = await scanned(files, {})
    expect(before.slices.map(({ id }) => id)).to.deep.equal(['p1'])
    expect(before.problems.map(({ reason }) => reason)).to.deep.equal(['the image has no mask of the same name'])
  })

  it('takes images without anything only where "none" is named', async () => {
    const files = { 'images/p1.png': await picture(), 'images/p2.png': await picture(), 'points.json': JSON.stringify({ p1: [[1, 1, 1]] }) }
    expect((await scanned(files)).slices).to.have.length(1)
    const all = await scanned(files, { kinds: [...MARKED, 'none'] })
    expect(all.slices.map(({ kind }) => kind)).to.deep.equal(['points', 'none'])
    expect(all.problems).to.deep.equal([])
  })

  it('takes cases of nnU-Net without labelsTr as images without anything', async () => {
    const values = Array.from({ length: 8 * 6 * 2 }, (_, i) => i % 200)
    const volume = niftiBytes({ dims: [8, 6, 2], values, pixdim: [1, 1, 1, 3] })
    const label = niftiBytes({ dims: [8, 6, 2], values: values.map((each) => Number(each > 20)), pixdim: [1, 1, 1, 3] })
    const files = {
      'imagesTr/a_0000.nii': volume,
      'labelsTr/a.nii': label,
      'imagesTr/b_0000.nii': volume,
      'dataset.json': '{ "channel_names": { "0": "T2" }, "labels": { "background": 0, "organ": 1 } }'
    }
    const kindsBy = async (kinds: LabelKind[]): Promise<unknown[]> =>
      (await scanned(files, { kinds })).slices.map(({ id, kind }) => [id, kind])
    const masked = [['a#000', undefined], ['a#001', undefined]]
    expect(await kindsBy(MARKED)).to.deep.equal(masked)
    expect(await kindsBy([...MARKED, 'none'])).to.deep.equal([...masked, ['b#000', 'none'], ['b#001', 'none']])
  })

  it('says how much is known, and what Dice is measured on', async () => {
    const image = await picture()
    const mask = await png(H, W, (x) => x > 30 ? 255 : 0)
    const { supervision, ...summary } = summarise(await scanned({
      'images/a.png': image,
      'masks/a.png': mask,
      'images/b.png': image,
      'masks/b.png': mask,
      'images/c.png': image,
      'scribbles/c.png': await png(H, W, (x, y) => y === 20 ? 1 : 255)
    }))
    expect(supervision).to.deep.equal({
      mask: 2, block: 0, scribble: 1, points: 0, box: 0, none: 0, knownShare: 1 / H, validationSubjects: 1
    })
    expect(describeSummary({ ...summary, supervision })).to.include(
      'slices by what is known of them: 2 whole masks, 1 with scribbles; of slices with marks 2.5 % of the pixels are known\n' +
      'Dice is measured on 1 subject with masks'
    )
    const none = summarise(await scanned({ 'images/c.png': image, 'points.json': '{ "c": [[1, 1, 1]] }' }))
    expect(describeSummary(none)).to.include('this site trains and reports no Dice')
  })

  describe('of annotation tools', () => {
    it('COCO: outlines are whole masks, boxes without outlines boxes, keypoints points', async () => {
      const outlines = coco([{ segmentation: [TRIANGLE.flat()] }])
      const outlined = await scanned({ 'images/p1.png': await picture(), 'annotations/instances_default.json': outlines })
      expect(outlined.problems).to.deep.equal([])
      const [{ kind, mask }] = outlined.slices as [Slice]
      expect(kind).to.equal(undefined)
      // Half of 20 × 20, its edges through middles of pixels shared.
      expect(mask.reduce((sum, code) => sum + code, 0)).to.be.within(190, 210)
      expect([mask[6 * W + 28], mask[24 * W + 12], mask[30 * W + 28]]).to.deep.equal([1, 0, 0])
      const boxed = await scanned({ 'images/p1.png': await picture(), 'boxes-export.json': coco([{ segmentation: [] }]) })
      expect(boxed.slices[0]).to.deep.include({ kind: 'box', marks: { points: [], boxes: [[10, 5, 30, 25, 1]] } })
      const pointed = await scanned({ 'images/p1.png': await picture(), 'p.json': coco([{ keypoints: [4, 5, 2, 0, 0, 0] }]) })
      expect(pointed.slices[0]).to.deep.include({ kind: 'points', marks: { points: [[4, 5, 1]], boxes: [] } })
    })

    it('COCO: runs, plain and as pycocotools packs them', async () => {
      // A column of 3 pixels from (x 2, y 1) on a picture of 4 × 5: 2·4 + 1 outside, 3 inside, 8 outside.
      const image = await png(4, 5, (x, y) => x * 10 + y)
      for (const counts of [[9, 3, 8], '938']) {
        const stated = coco([{ segmentation: { size: [4, 5], counts } }], { width: 5, height: 4 })
        const { slices, problems } = await scanned({ 'images/p1.png': image, 'a.json': stated })
        expect(problems).to.deep.equal([])
        expect([...slices[0]!.mask]).to.deep.equal([0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0])
      }
    })

    it('labelme: polygons, rectangles, points and lines, beside their images', async () => {
      const polygon = { label: 'lesion', points: TRIANGLE, shape_type: 'polygon' }
      const whole = await scanned({ 'images/p1.png': await picture(), 'images/p1.json': labelme([polygon]) })
      expect(whole.slices[0]!.kind).to.equal(undefined)
      const mixed = await scanned({
        'images/p1.png': await picture(),
        'images/p1.json': labelme([
          { label: 'lesion', points: [[30, 25], [10, 5]], shape_type: 'rectangle' },
          { label: 'lesion', points: [[20.7, 10.2]], shape_type: 'point' },
          { label: 'Background', points: [[0, 39], [59, 39]], shape_type: 'linestrip' }
        ])
      })
      const [{ kind, mask, marks }] = mixed.slices as [Slice]
      expect({ kind, marks }).to.deep.equal({ kind: 'scribble', marks: { points: [[20, 10, 1]], boxes: [[10, 5, 30, 25, 1]] } })
      expect(mask.filter((code) => code === 0)).to.have.length(W)
    })

    it('names classes by the federation, and leaves out those of none', async () => {
      const labels = labelMapOf([{ name: 'Whole organ', values: [1, 2] }, { name: 'lesion', value: 2 }])
      const { slices, problems } = await scanned({
        'images/p1.png': await picture(),
        'images/p1.json': labelme([
          { label: 'LESION', points: [[5, 5]], shape_type: 'point' },
          { label: 'whole-organ', points: [[9, 5]], shape_type: 'point' },
          { label: 'bone', points: [[9, 9]], shape_type: 'point' }
        ])
      }, { kinds: MARKED, labels })
      expect(slices[0]!.marks!.points).to.deep.equal([[5, 5, 2], [9, 5, 1]])
      expect(slices[0]!.lacks).to.equal(undefined)
      expect(problems.map(({ reason }) => reason)).to.deep.equal([
        '1 label of marks is of no class, and left out (the federation has Whole organ, lesion): rename them'
      ])
    })
  })

  it('takes marks of volumes by voxels, on the slices that they are on', async () => {
    const values = Array.from({ length: 8 * 6 * 4 }, (_, i) => i % 200)
    const { slices, problems, emptySlices } = await scanned({
      'images/v.nii': niftiBytes({ dims: [8, 6, 4], values, pixdim: [1, 1, 1, 3], sform: [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 3, 0]] }),
      'points.json': JSON.stringify({ v: [[2, 1, 3, 1]] }),
      'boxes.json': JSON.stringify({ v: [[1, 1, 0, 4, 3, 1, 1]] })
    })
    expect(problems).to.deep.equal([])
    expect(slices.map(({ id, kind }) => [id, kind])).to.deep.equal([['v#000', 'box'], ['v#001', 'box'], ['v#003', 'points']])
    expect(emptySlices).to.equal(1)
    const [[x0, y0, x1, y1]] = slices[0]!.marks!.boxes as [[number, number, number, number, number]]
    expect([x1 - x0, y1 - y0]).to.deep.equal([4, 3])
    const [[x, y]] = slices[2]!.marks!.points as [[number, number, number]]
    // Where the voxel (2, 1, 3) went in the slice is where its brightness is, among neighbours that differ.
    expect([[2, 1], [5, 1], [2, 4], [5, 4]]).to.deep.include([x, y])
  })

  const bad: [what: string, files: () => Promise<Files>, sentence: RegExp][] = [
    ['a list that is none', async () => ({ 'points.json': '[1]' }), /points\.json cannot be used: it is not a list of marks by the name/],
    ['a box of three numbers', async () => ({ 'boxes.json': '{ "p1": [[1, 2, 3]] }' }), /boxes\.json cannot be used: .*a box is \[x0, y0/],
    ['what is no JSON', async () => ({ 'points.json': '{' }), /points\.json cannot be used: it is not JSON: export it again/],
    ['a point outside', async () => ({ 'points.json': '{ "p1": [[100, 2, 1]] }' }), /a point lies outside the image: mark it again/],
    ['a box outside', async () => ({ 'boxes.json': '{ "p1": [[100, 2, 110, 4]] }' }), /a box lies outside the image: draw it again/],
    ['another size', async () => ({ 'a.json': coco([{}], { width: 10 }) }), /an image of 10×40 pixels, and it has 60×40: mark this/],
    ['a lost image', async () => ({ 'points.json': '{ "p9": [[1, 2, 1]] }' }), /it marks an image that is not there/],
    ['a lost category', async () => ({ 'a.json': coco([{ category_id: 4 }]) }), /category that "categories" does not list: export/],
    ['a JPEG', async () => ({ 'scribbles/p1.jpg': await jpeg() }), /its scribbles or blocks are a JPEG, which blurs labels/],
    ['a star', async () => ({ 'p1.json': labelme([{ label: 'a', points: [[1, 1]], shape_type: 'star' }]) }), /kind star/]
  ]
  for (const [what, files, sentence] of bad) {
    it(`says plainly what is wrong: ${what}`, async () => {
      const given = { 'images/p1.png': await picture(), ...await files() }
      const reasons = ({ problems }: Dataset): string => problems.map(({ reason }) => reason).join('\n')
      const said = await scanned(given).then(reasons, (error: Error) => error.message)
      expect(said).to.match(sentence)
    })
  }

  describe('at the side of the network', () => {
    it('keep a stroke of one pixel at 2,048', async () => {
      const mask = new Uint8Array(2048 * 2048).fill(UNKNOWN)
      for (let x = 0; x < 2048; x++) mask[777 * 2048 + x] = 1
      const fitted = await fitSlice(slice({ height: 2048, width: 2048, mask }), 128)
      const { targets, known } = toClassTargets([fitted], 32, EVERYTHING)
      const row = Math.floor(777 / 64)
      const expected = Float32Array.from({ length: 32 * 32 }, (_, i) => Math.floor(i / 32) === row ? 1 : 0)
      expect(known).to.deep.equal(expected)
      expect(targets).to.deep.equal(expected)
    })

    it('know a cell where any pixel is marked, and of boxes the middle and what lies outside', async () => {
      const random = seededRandom(3)
      const mask = Uint8Array.from({ length: 64 * 64 }, () => random() < 0.05 ? (random() < 0.5 ? 0 : 1) : UNKNOWN)
      const fitted = await fitSlice(slice({ height: 64, width: 64, mask, marks: { points: [], boxes: [[16, 16, 47, 40, 1]] } }), 64)
      const { targets, known } = toClassTargets([fitted], 16, EVERYTHING)
      for (let cell = 0; cell < 256; cell++) {
        const [top, left] = [Math.floor(cell / 16) * 4, cell % 16 * 4]
        const at = Array.from({ length: 16 }, (_, i) => [left + i % 4, top + Math.floor(i / 4)] as const)
        // Half as wide and as high as the box: 15.5 and 12 across, about (31.5, 28).
        const isMiddle = (x: number, y: number): boolean => Math.hypot((x + 0.5 - 31.5) / 7.75, (y + 0.5 - 28) / 6) <= 1
        const marks = at.map(([x, y]) => mask[y * 64 + x] === UNKNOWN && isMiddle(x, y) ? 1 : mask[y * 64 + x]!)
          .filter((code) => code !== UNKNOWN)
        const free = at.filter(([x, y]) => !(x + 1 > 16 && x <= 47 && y + 1 > 16 && y <= 40)).length
        expect(known[cell]).to.be.closeTo(marks.length > 0 ? 1 : free / 16, 1e-6)
        if (marks.length > 0) expect(targets[cell]).to.be.closeTo(marks.filter((code) => code === 1).length / marks.length, 1e-6)
        else expect(targets[cell]).to.equal(0)
      }
    })

    it('show a point in three by three cells, and nothing beyond the image', async () => {
      const wide = slice({ height: 32, width: 64, kind: 'points', marks: { points: [[33, 14, 1]], boxes: [] } })
      const { known, targets } = toClassTargets([await fitSlice(wide, 64)], 16, EVERYTHING)
      const cells = [...known.keys()].filter((cell) => known[cell] === 1)
      expect(cells).to.deep.equal([2, 3, 4].flatMap((row) => [7, 8, 9].map((column) => row * 16 + column)))
      expect(known.reduce((sum, each) => sum + each, 0)).to.equal(9)
      expect(targets).to.deep.equal(known)
    })

    it('move as the image does', async () => {
      const random = seededRandom(5)
      const mask = Uint8Array.from({ length: 64 * 64 }, () => random() < 0.02 ? 1 : UNKNOWN)
      const marks = { points: [[20, 41, 0]], boxes: [[8, 12, 50, 30, 1]] } as const
      const fitted = await fitSlice(slice({ height: 64, width: 64, mask, marks }), 64)
      const motions = new Set<string>()
      for (let seed = 0; motions.size < 8; seed++) {
        const places = { ...fitted, image: Uint8Array.from({ length: 64 * 64 }, (_, i) => Math.floor(Math.floor(i / 64) / 4)) }
        const columns = { ...fitted, image: Uint8Array.from({ length: 64 * 64 }, (_, i) => Math.floor(i % 64 / 4)) }
        const [rows, across] = [places, columns].map((each) =>
          augment(each, seededRandom(seed), { intensity: 0 }).image) as [Uint8Array, Uint8Array]
        motions.add([rows[0], rows[63], across[0], across[63]].join())
        const before = toClassTargets([fitted], 16, EVERYTHING)
        const after = toClassTargets([augment(fitted, seededRandom(seed), { intensity: 0 })], 16, EVERYTHING)
        for (let cell = 0; cell < 256; cell++) {
          const pixel = Math.floor(cell / 16) * 4 * 64 + cell % 16 * 4
          const from = rows[pixel]! * 16 + across[pixel]!
          expect([after.known[cell], after.targets[cell]]).to.deep.equal([before.known[from], before.targets[from]])
        }
      }
    })
  })

  it('bend with a strongly changed view, and are not known where nothing comes from inside', async () => {
    const mask = new Uint8Array(64 * 64).fill(UNKNOWN)
    for (let x = 0; x < 64; x++) mask[20 * 64 + x] = 1
    const fitted = await fitSlice(slice({ height: 64, width: 64, mask, marks: { points: [], boxes: [[8, 8, 50, 50, 1]] } }), 64)
    for (let seed = 0; seed < 8; seed++) {
      const [view] = viewedSlices([fitted], { kind: 'strong', share: 1 }, seededRandom(seed)) as [Fitted]
      const both = view.mask.filter((code, i) => code !== view.marks![i])
      expect(new Set(both)).to.satisfy((codes: Set<number>) => [...codes].every((code) => code === 0))
      expect(view.marks!.some((code) => code === 1)).to.equal(true)
    }
  })

  it('hold back subjects alone whose images all have masks', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 999 }), fc.array(fc.boolean(), { minLength: 1, maxLength: 12 }), (seed, whole) => {
      const slices = whole.map((isWhole, i): Slice => {
        const mask = new Uint8Array(4).fill(isWhole ? 1 : UNKNOWN)
        const { kind, ...rest } = slice({ height: 2, width: 2, id: `${i}`, subject: `s${i % 7}`, index: i, mask })
        return isWhole ? rest : { ...rest, kind: kind! }
      })
      const { train, validation, sides } = growSplit(slices, { seed })
      const weak = new Set(slices.filter(({ kind }) => kind != null).map(({ subject }) => subject))
      expect(validation.some(({ subject }) => weak.has(subject))).to.equal(false)
      expect([...weak].every((subject) => sides.get(subject) === 'train')).to.equal(true)
      expect(train.filter(({ subject }) => weak.has(subject))).to.have.length(slices.filter(({ subject }) => weak.has(subject)).length)
      const again = growSplit(slices, { seed, known: sides })
      expect(again.validation.map(({ id }) => id)).to.deep.equal(validation.map(({ id }) => id))
    }))
  })

  it('hold back those whom the site names, if it names any', async () => {
    const image = await picture()
    const mask = await png(H, W, (x) => x > 30 ? 255 : 0)
    const files = {
      'images/a.png': image,
      'masks/a.png': mask,
      'images/b.png': image,
      'masks/b.png': mask,
      'images/c.png': image,
      'points.json': '{ "c": [[3, 4, 1]] }',
      'supervision.json': '{ "validation": ["b.png"] }'
    }
    const { train, validation, sides } = growSplit((await scanned(files)).slices, { seed: 1 })
    expect([train, validation].map((all) => all.map(({ id }) => id))).to.deep.equal([['a', 'c'], ['b']])
    const trained = growSplit((await scanned(files)).slices, { seed: 1, known: new Map([['b', 'train']]) })
    expect(trained.validation.map(({ id }) => id)).to.not.include('b')
    expect([...sides].sort()).to.deep.equal([['a', 'train'], ['b', 'validation'], ['c', 'train']])
    const wrong = await scanned({ ...files, 'supervision.json': '{ "test": [] }' }).then(() => '', (error: Error) => error.message)
    expect(wrong).to.match(/supervision\.json cannot be used: write it as \{ "unlabelled": "skip"/)
  })

  it('load where a site has nothing else', async () => {
    const files = { 'images/p1.png': await picture(), 'points.json': '{ "p1": [[3, 4, 1]] }' }
    await within(files, async (path) => {
      expect((await loadDataset(path, { kinds: MARKED, sides: [128] })).slices).to.have.length(1)
      const refused = await loadDataset(path).then(() => '', (error: Error) => error.message)
      expect(refused).to.include('has no masks/ beside images/')
    })
  })
})

async function jpeg (): Promise<Uint8Array> {
  const sharp = (await import('sharp')).default
  return await sharp(Buffer.alloc(H * W, 255), { raw: { width: W, height: H, channels: 1 } }).jpeg().toBuffer()
}
