type Reader = 'pages' | 'nifti' | 'nrrd' | 'meta-image'

interface Known {
  readonly magic: string
  /** where it stands, 0 if not given */
  readonly at?: number
  /** who reads it: to that reader it is damaged */
  readonly by?: Reader
  /** the sentence after "the file is" */
  readonly is: string
}

const AS_PICTURE = 'store it as PNG or TIFF'
const AS_VOLUME = 'store it as NIfTI'

/** What people have that is not read here, or not under this ending, by its first bytes. */
const KNOWN: readonly Known[] = [
  { magic: 'DICM', at: 128, is: 'DICOM under another name: give it the ending .dcm, or none; predict takes its series by --dicom' },
  { magic: '\x1f\x8b', is: 'packed with gzip, which is read of volumes alone: unpack it' },
  { magic: 'BZh', is: 'packed with bzip2: unpack it' },
  { magic: '\xfd7zXZ', is: 'packed with xz: unpack it' },
  { magic: '7z\xbc\xaf', is: 'a 7-Zip archive: unpack it' },
  { magic: 'Rar!', is: 'a RAR archive: unpack it' },
  { magic: 'version https://git-lfs', is: 'a pointer of Git LFS and not the data: fetch them with git lfs pull' },
  { magic: '/annex/objects', is: 'a pointer of git-annex and not the data: fetch them with git annex get' },
  { magic: '<!doctype html', is: 'a web page, not an image: download it again' },
  { magic: '<html', is: 'a web page, not an image: download it again' },
  { magic: '%PDF', is: `a PDF: ${AS_PICTURE}` },
  { magic: '<svg', is: `a drawing (SVG): ${AS_PICTURE}` },
  { magic: 'WEBP', at: 8, is: `WebP, which is not read: ${AS_PICTURE}` },
  { magic: 'ftypavif', at: 4, is: `AVIF, which is not read: ${AS_PICTURE}` },
  { magic: 'ftypheic', at: 4, is: `HEIC, which is not read: ${AS_PICTURE}` },
  { magic: 'ftypmif1', at: 4, is: `HEIF, which is not read: ${AS_PICTURE}` },
  { magic: '\0\0\0\x0cjP  ', is: `JPEG 2000, which is not read: ${AS_PICTURE}` },
  { magic: '\xff\x4f\xff\x51', is: `JPEG 2000, which is not read: ${AS_PICTURE}` },
  { magic: '\0\0\0\x0cJXL ', is: `JPEG XL, which is not read: ${AS_PICTURE}` },
  { magic: '8BPS', is: `a Photoshop file: ${AS_PICTURE}` },
  { magic: '\x89HDF', is: `HDF5, which is not read: ${AS_VOLUME}, or as NumPy (.npy)` },
  { magic: 'MATLAB', is: `a MATLAB file, which is not read: ${AS_VOLUME}, or as NumPy (.npy)` },
  { magic: 'NRRD', by: 'nrrd', is: 'NRRD under another name: give it the ending .nrrd' },
  { magic: 'ObjectType', by: 'meta-image', is: 'MetaImage under another name: give it the ending .mha' },
  { magic: 'n+1\0', at: 344, by: 'nifti', is: 'NIfTI under another name: give it the ending .nii' },
  { magic: '\x89PNG', by: 'pages', is: 'PNG under another name: give it the ending .png' },
  { magic: '\xff\xd8\xff', by: 'pages', is: 'JPEG under another name: give it the ending .jpg' },
  { magic: 'II*\0', by: 'pages', is: 'TIFF under another name: give it the ending .tif' },
  { magic: 'MM\0*', by: 'pages', is: 'TIFF under another name: give it the ending .tif' },
  { magic: '\x93NUMPY', by: 'pages', is: 'a NumPy array under another name: give it the ending .npy' }
]

/** A sentence about a file that is none of what a reader expected: what it is, or the usual one where that is not known. */
export function notRead (bytes: Buffer, reader: Reader, usual: string): string {
  const begins = ({ magic, at = 0 }: Known): boolean =>
    bytes.toString('latin1', at, at + magic.length).toLowerCase() === magic.toLowerCase()
  const known = KNOWN.find((each) => each.by !== reader && begins(each))
  return known == null ? usual : `the file is ${known.is}`
}
