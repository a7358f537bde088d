import { randomUUID } from 'node:crypto'
import { SOFTWARE } from '../../common/software.ts'
import { categoryOf, type Category } from './categories.ts'
import type { Frame } from './instance.ts'
import { readSourceHeader, type SourceHeader } from './source-header.ts'
import type { Stack } from './stacks.ts'

/** A coded concept: of SNOMED CT (SCT) or of another scheme. */
export interface Code {
  readonly scheme: string
  readonly value: string
  readonly meaning: string
  /** what kind of thing it is; by default what its code says */
  readonly category?: Category | undefined
}

/** A class and its pixels, slice by slice of the stack, each above 0 where it is. */
export interface SegmentMask {
  readonly name: string
  readonly code: Code
  readonly slices: readonly Uint8Array[]
}

/** Who drew the segments, in words for the header. */
export interface Algorithm {
  readonly name: string
  readonly version: string
  readonly parameters: string
  /** whether a person pointed at what was meant */
  readonly prompted: boolean
}

/** The scheme of classes that have no code of SNOMED CT. */
export const OWN_SCHEME = '99CONSILIUM'
/** What a SEG of ours says of who made it. */
export const OWN_MAKER = 'Consilium'
const SEG = '1.2.840.10008.5.1.4.1.1.66.4'

/** A DICOM SEG (binary) of a stack: one segment a class, on the images that it was drawn on. @throws InputError without a file name */
export async function segBytes (stack: Stack, segments: readonly SegmentMask[], algorithm: Algorithm): Promise<Uint8Array> {
  const { default: dcmjs } = await import('dcmjs')
  dcmjs.log.setLevel('silent')
  const header = await readSourceHeader(stack.frames[0]!.file)
  const drawn = framesOf(segments)
  const [columns, rows] = stack.dims
  const dataset = {
    SpecificCharacterSet: 'ISO_IR 192',
    ...header.kept,
    ...instanceOf(stack, header),
    SegmentationType: 'BINARY',
    SegmentSequence: segments.map((segment, at) => describe(segment, at + 1, algorithm)),
    Rows: rows,
    Columns: columns,
    SamplesPerPixel: 1,
    PhotometricInterpretation: 'MONOCHROME2',
    BitsAllocated: 1,
    BitsStored: 1,
    HighBit: 0,
    PixelRepresentation: 0,
    ...header.lossy,
    NumberOfFrames: drawn.length,
    ...dimensionsOf(stack),
    ...groupsOf(stack, drawn),
    PixelData: packed(drawn.map(({ mask }) => mask)),
    _vrMap: { PixelData: 'OB' },
    _meta: {}
  }
  return new Uint8Array(dcmjs.data.datasetToDict(dataset).write())
}

interface Drawn { readonly segment: number, readonly slice: number, readonly mask: Uint8Array }

/** A frame for each slice of a segment that shows it; without any, an empty one. */
function framesOf (segments: readonly SegmentMask[]): Drawn[] {
  const all = segments.flatMap(({ slices }, at) => slices.map((mask, slice) => ({ segment: at + 1, slice, mask })))
  const shown = all.filter(({ mask }) => mask.some((value) => value > 0))
  return shown.length > 0 ? shown : all.slice(0, 1)
}

/** Bits of all frames, one behind the other without a gap, the first in the lowest bit. */
function packed (masks: readonly Uint8Array[]): ArrayBuffer {
  const size = masks[0]!.length
  const bytes = new Uint8Array(2 * Math.ceil(masks.length * size / 16))
  masks.forEach((mask, frame) => mask.forEach((value, i) => {
    const bit = frame * size + i
    if (value > 0) bytes[bit >> 3]! |= 1 << (bit & 7)
  }))
  return bytes.buffer
}

function instanceOf (stack: Stack, { frameOfReference, positionReference }: SourceHeader): object {
  const now = new Date()
  const [date, time] = [now.toISOString().slice(0, 10).replaceAll('-', ''), now.toISOString().slice(11, 19).replaceAll(':', '')]
  const isPlaced = stack.place != null && frameOfReference != null
  return {
    SOPClassUID: SEG,
    SOPInstanceUID: newUid(),
    SeriesInstanceUID: newUid(),
    Modality: 'SEG',
    SeriesNumber: 1000,
    SeriesDescription: 'Consilium segmentation',
    ...isPlaced ? { FrameOfReferenceUID: frameOfReference, PositionReferenceIndicator: positionReference } : { PatientOrientation: '' },
    Manufacturer: OWN_MAKER,
    ManufacturerModelName: 'Consilium',
    DeviceSerialNumber: '0',
    SoftwareVersions: SOFTWARE,
    InstanceNumber: 1,
    ImageType: ['DERIVED', 'PRIMARY'],
    ContentDate: date,
    ContentTime: time,
    SeriesDate: date,
    SeriesTime: time,
    ContentLabel: 'SEGMENTATION',
    ContentDescription: '',
    ContentCreatorName: '',
    ReferencedSeriesSequence: [{
      SeriesInstanceUID: stack.instance.series,
      ReferencedInstanceSequence: [...new Set(stack.frames.map(({ sop }) => sop))].map((sop) => reference(stack, sop))
    }],
    CodingSchemeIdentificationSequence: [{
      CodingSchemeDesignator: OWN_SCHEME,
      CodingSchemeName: 'Classes of a Consilium federation, by the values of its document',
      CodingSchemeResponsibleOrganization: 'Consilium'
    }]
  }
}

function reference ({ instance }: Stack, sop: string): object {
  return { ReferencedSOPClassUID: instance.sopClass, ReferencedSOPInstanceUID: sop }
}

function code (scheme: string, value: string, meaning: string): object {
  return { CodeValue: value, CodingSchemeDesignator: scheme, CodeMeaning: meaning }
}

function describe ({ name, code: own }: SegmentMask, number: number, algorithm: Algorithm): object {
  const category = categoryOf(own)
  return {
    SegmentNumber: number,
    SegmentLabel: name.slice(0, 64),
    SegmentedPropertyCategoryCodeSequence: [code(category.scheme, category.value, category.meaning)],
    SegmentedPropertyTypeCodeSequence: [code(own.scheme, own.value, own.meaning)],
    SegmentAlgorithmType: algorithm.prompted ? 'SEMIAUTOMATIC' : 'AUTOMATIC',
    SegmentAlgorithmName: algorithm.name,
    SegmentationAlgorithmIdentificationSequence: [{
      AlgorithmFamilyCodeSequence: [code('DCM', '123110', 'Artificial Intelligence')],
      AlgorithmName: algorithm.name,
      AlgorithmVersion: algorithm.version,
      AlgorithmSource: 'Consilium',
      // A text that is no list would be written letter by letter.
      AlgorithmParameters: [algorithm.parameters]
    }]
  }
}

/** Frames are told apart by their segment, and by where they lie or which image they are of. */
function dimensionsOf ({ place }: Stack): object {
  const organization = newUid()
  const index = (pointer: number, group: number): object =>
    ({ DimensionOrganizationUID: organization, DimensionIndexPointer: pointer, FunctionalGroupPointer: group })
  return {
    DimensionOrganizationSequence: [{ DimensionOrganizationUID: organization }],
    DimensionIndexSequence: [
      index(0x0062000b, 0x0062000a),
      place == null ? index(0x00209057, 0x00209111) : index(0x00200032, 0x00209113)
    ]
  }
}

function groupsOf (stack: Stack, drawn: readonly Drawn[]): object {
  const plane = stack.frames[0]!.plane
  const isPlaced = stack.place != null && plane != null
  const used = [...new Set(drawn.map(({ slice }) => slice))].sort((a, b) => a - b)
  const apart = stack.place == null ? 0 : Math.hypot(...stack.place.axes[2]!)
  const isSeveral = new Set(stack.frames.map(({ sop }) => sop)).size < stack.frames.length
  return {
    SharedFunctionalGroupsSequence: [isPlaced
      ? {
          PixelMeasuresSequence: [{
            PixelSpacing: plane.spacing.map(short),
            SliceThickness: short(apart),
            SpacingBetweenSlices: short(apart)
          }],
          PlaneOrientationSequence: [{ ImageOrientationPatient: [...plane.along, ...plane.down].map(short) }]
        }
      : {}],
    PerFrameFunctionalGroupsSequence: drawn.map(({ segment, slice }) => ({
      FrameContentSequence: [{
        DimensionIndexValues: [segment, used.indexOf(slice) + 1],
        ...isPlaced ? {} : { InStackPositionNumber: slice + 1, StackID: '1' }
      }],
      ...isPlaced ? { PlanePositionSequence: [{ ImagePositionPatient: stack.frames[slice]!.plane!.position.map(short) }] } : {},
      SegmentIdentificationSequence: [{ ReferencedSegmentNumber: segment }],
      DerivationImageSequence: [derivation(stack, stack.frames[slice]!, isSeveral)]
    }))
  }
}

function derivation (stack: Stack, { sop, index }: Frame, isSeveral: boolean): object {
  return {
    DerivationCodeSequence: [code('DCM', '113076', 'Segmentation')],
    SourceImageSequence: [{
      ...reference(stack, sop),
      ...isSeveral ? { ReferencedFrameNumber: index + 1 } : {},
      SpatialLocationsPreserved: 'YES',
      PurposeOfReferenceCodeSequence: [code('DCM', '121322', 'Source image for image processing operation')]
    }]
  }
}

/** A decimal of at most 16 characters, the nearest that there is. */
function short (value: number): string {
  for (let digits = 16; digits > 0; digits--) {
    const text = String(Number(value.toPrecision(digits)))
    if (text.length <= 16) return text
  }
  return '0'
}

function newUid (): string {
  return `2.25.${BigInt(`0x${randomUUID().replaceAll('-', '')}`)}`
}
