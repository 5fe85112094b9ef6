/** Zip and gzip files of every form that is right, byte by byte: other programs write only some of them. */
import { crc32, deflateRawSync, gzipSync, type ZlibOptions } from 'node:zlib';

export interface ZipForm {
  isStored?: boolean;
  /** Sizes and CRC-32 come in a data descriptor behind the member; without a signature that is optional. */
  isStreamed?: boolean;
  hasDescriptorSignature?: boolean;
  /** Sizes stand in extra fields, and the directory's place in a record of its own, though none is so large. */
  isZip64?: boolean;
  /** Members that are no `.data`, before and behind. */
  hasOtherMembers?: boolean;
  /** What comes before the member's name, such as `a/`. */
  folder?: string;
  comment?: string;
  /** A whole extra field. */
  extra?: Buffer;
  deflate?: ZlibOptions;
}

const STREAMED = 1 << 3;
const MAX16 = 0xffff;
const MAX32 = 0xffffffff;

/** A zip file of one text (APPNOTE.TXT 4.3). */
export function zipFile(memberName: string, text: Uint8Array, form: ZipForm = {}): Buffer {
  const { folder = '', comment = '', hasOtherMembers = false, isZip64 = false } = form;
  const members = [member(folder + memberName, text, form)];
  if (hasOtherMembers) {
    members.unshift(member('README.txt', Buffer.from('made'), { isStored: true }));
    if (folder) members.unshift(member(folder, Buffer.alloc(0), { isStored: true }));
    members.push(member('checksum.data.md5', Buffer.from('none'), {}));
  }
  const locals: Buffer[] = [];
  const records: Buffer[] = [];
  let offset = 0;
  for (const { local, record } of members) {
    locals.push(local);
    records.push(record(offset));
    offset += local.length;
  }
  const directory = Buffer.concat(records);
  const end = { count: members.length, bytes: directory.length, offset };
  return Buffer.concat([...locals, directory, ...(isZip64 ? [zip64End(end)] : []), endRecord(end, isZip64, comment)]);
}

interface Member {
  /** Local header, data, descriptor. */
  local: Buffer;
  /** The directory's record of it. */
  record: (offset: number) => Buffer;
}

function member(name: string, text: Uint8Array, form: ZipForm): Member {
  const { isStored = false, isStreamed = false, isZip64 = false, hasDescriptorSignature = true } = form;
  const { extra = Buffer.alloc(0), deflate = {} } = form;
  const packed = isStored ? Buffer.from(text) : deflateRawSync(text, deflate);
  const sizes = { crc: crc32(text), packed: packed.length, text: text.length };
  const common = u16(isZip64 ? 45 : 20, isStreamed ? STREAMED : 0, isStored ? 0 : 8, 0, 0x5a21);
  const nothing = { crc: 0, packed: 0, text: 0 };
  const nameBytes = Buffer.from(name);

  const localExtra = isZip64 ? zip64Extra(isStreamed ? nothing : sizes) : extra;
  const header = [
    Buffer.from('PK\x03\x04', 'latin1'),
    common,
    sizeFields(isStreamed ? nothing : sizes, isZip64),
    u16(nameBytes.length, localExtra.length),
    nameBytes,
    localExtra,
  ];
  const descriptor = isStreamed
    ? [
        Buffer.from(hasDescriptorSignature ? 'PK\x07\x08' : '', 'latin1'),
        u32(sizes.crc),
        isZip64 ? u64(sizes.packed, sizes.text) : u32(sizes.packed, sizes.text),
      ]
    : [];
  return {
    local: Buffer.concat([...header, packed, ...descriptor]),
    record(offset) {
      const recordExtra = isZip64 ? zip64Extra(sizes, offset) : extra;
      return Buffer.concat([
        Buffer.from('PK\x01\x02', 'latin1'),
        u16(isZip64 ? 45 : 20),
        common,
        sizeFields(sizes, isZip64),
        u16(nameBytes.length, recordExtra.length, 0, 0, 0),
        u32(0, isZip64 ? MAX32 : offset),
        nameBytes,
        recordExtra,
      ]);
    },
  };
}

interface Sizes {
  crc: number;
  packed: number;
  text: number;
}

function sizeFields({ crc, packed, text }: Sizes, isZip64: boolean): Buffer {
  return isZip64 ? u32(crc, MAX32, MAX32) : u32(crc, packed, text);
}

/** The text's size comes first (APPNOTE.TXT 4.5.3). */
function zip64Extra({ packed, text }: Sizes, offset?: number): Buffer {
  const values = u64(text, packed, ...(offset === undefined ? [] : [offset]));
  return Buffer.concat([u16(1, values.length), values]);
}

interface Directory {
  count: number;
  bytes: number;
  offset: number;
}

function zip64End({ count, bytes, offset }: Directory): Buffer {
  const record = [
    Buffer.from('PK\x06\x06', 'latin1'),
    u64(44),
    u16(45, 45),
    u32(0, 0),
    u64(count, count, bytes, offset),
  ];
  const locator = [Buffer.from('PK\x06\x07', 'latin1'), u32(0), u64(offset + bytes), u32(1)];
  return Buffer.concat([...record, ...locator]);
}

function endRecord({ count, bytes, offset }: Directory, isZip64: boolean, comment: string): Buffer {
  const fields = isZip64 ? [u16(0, 0, MAX16, MAX16), u32(MAX32, MAX32)] : [u16(0, 0, count, count), u32(bytes, offset)];
  return Buffer.concat([Buffer.from('PK\x05\x06', 'latin1'), ...fields, u16(comment.length), Buffer.from(comment)]);
}

export interface GzipForm {
  /** The text in so many parts, each a member. */
  members?: number;
  hasEmptyMembers?: boolean;
  /** Zeros behind each member. */
  paddingBytes?: number;
  /** With every optional field (RFC 1952, 2.3). */
  hasFullHeader?: boolean;
  deflate?: ZlibOptions;
}

export function gzipFile(text: Uint8Array, form: GzipForm = {}): Buffer {
  const { members = 1, hasEmptyMembers = false, paddingBytes = 0, hasFullHeader = false, deflate = {} } = form;
  const partBytes = Math.max(1, Math.ceil(text.length / members));
  const parts: Buffer[] = [];
  for (let member = 0; member < members; member++) {
    const part = text.subarray(member * partBytes, (member + 1) * partBytes);
    const packed = gzipSync(part, deflate);
    parts.push(hasFullHeader ? withFullHeader(packed) : packed);
    if (hasEmptyMembers) parts.push(gzipSync(''));
    parts.push(Buffer.alloc(paddingBytes));
  }
  return Buffer.concat(parts);
}

function withFullHeader(member: Buffer): Buffer {
  const [FHCRC, FEXTRA, FNAME, FCOMMENT] = [2, 4, 8, 16];
  const header = Buffer.concat([
    Buffer.from(member.subarray(0, 10)),
    u16(4),
    Buffer.from('xy\0\0name\0comment\0', 'latin1'),
  ]);
  header[3] = FHCRC | FEXTRA | FNAME | FCOMMENT;
  return Buffer.concat([header, u16(crc32(header) & MAX16), member.subarray(10)]);
}

function u16(...values: number[]): Buffer {
  return numbers(values, 2, (bytes, value, at) => bytes.writeUInt16LE(value, at));
}

function u32(...values: number[]): Buffer {
  return numbers(values, 4, (bytes, value, at) => bytes.writeUInt32LE(value, at));
}

function u64(...values: number[]): Buffer {
  return numbers(values, 8, (bytes, value, at) => bytes.writeBigUInt64LE(BigInt(value), at));
}

function numbers(
  values: readonly number[],
  size: number,
  write: (bytes: Buffer, value: number, at: number) => void,
): Buffer {
  const bytes = Buffer.alloc(size * values.length);
  for (const [index, value] of values.entries()) write(bytes, value, index * size);
  return bytes;
}
