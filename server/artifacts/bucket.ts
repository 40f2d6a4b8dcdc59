/**
 * A bucket of an S3-compatible store, as far as artifacts need one. Blobs lie under their digest as in a folder; what attempts leave lies under
 * the attempt. Addresses that are signed here let somebody without keys do one thing with one object for a while; one for a blob holds
 * only for content with that digest, which the store itself checks.
 */
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type {
  CompleteMultipartUploadCommand,
  GetObjectCommand,
  PutObjectCommand,
  S3Client,
  S3ClientConfig,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import type { Digest } from '../../pipeline/model/artifact';
import { StorageProblem } from './problem';

/** Larger blobs go in parts of this size: no store takes more than 5 GiB at once, and a part that fails is tried again alone. */
const partSize = 64 * 2 ** 20;
/** Seconds that an address holds: an attempt may wait long for a node. */
const holds = 24 * 60 * 60;

type Signable = GetObjectCommand | PutObjectCommand | UploadPartCommand | CompleteMultipartUploadCommand;

export interface Missing {
  digest: Digest;
  size: number;
  put?: string;
  headers?: Record<string, string>;
  parts?: { url: string; start: number; size: number }[];
  complete?: string;
}

export class Bucket {
  private readonly sdk = require('@aws-sdk/client-s3') as typeof import('@aws-sdk/client-s3');
  private readonly signer = require('@aws-sdk/s3-request-presigner') as typeof import('@aws-sdk/s3-request-presigner');
  private readonly client: S3Client;
  private readonly there = new Set<Digest>();

  private constructor(
    private readonly bucket: string,
    private readonly prefix: string,
    options: S3ClientConfig,
  ) {
    this.client = new this.sdk.S3Client(options);
  }

  /**
   * `s3://bucket/prefix?endpoint=http://…&region=…`; keys are where the SDK looks for them (AWS_ACCESS_KEY_ID and so on, a profile, a role).
   * Throws a `StorageProblem` when it is no such address.
   */
  static open(address: string): Bucket {
    const url = URL.canParse(address) ? new URL(address) : undefined;
    if (url?.protocol !== 's3:' || url.hostname === '' || url.username !== '')
      throw new StorageProblem(
        'folder',
        `STEPWELL_ARTIFACTS is "${address.slice(0, 100)}"; s3://bucket/prefix?endpoint=http://store:9000 is expected, without keys.`,
      );
    const endpoint = url.searchParams.get('endpoint') ?? undefined;
    const prefix = url.pathname.replace(/^\/+|\/+$/g, '');
    return new Bucket(url.hostname, prefix === '' ? '' : `${prefix}/`, {
      region: url.searchParams.get('region') ?? process.env.AWS_REGION ?? 'us-east-1',
      ...(endpoint ? { endpoint, forcePathStyle: true } : {}),
      // What is not asked for is not sent: older stores refuse checksums that they do not know.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      maxAttempts: 5,
    });
  }

  /** Whether the blob is there, whole as far as its length tells. */
  async has(digest: Digest, size?: number): Promise<boolean> {
    if (this.there.has(digest)) return true;
    const found = await this.head(blobKey(digest));
    if (found === undefined || (size !== undefined && found !== size)) return false;
    this.there.add(digest);
    return true;
  }

  /** Brings a blob from a file, unless it is there. */
  async upload(digest: Digest, path: string, size: number): Promise<void> {
    if (await this.has(digest, size)) return;
    if (size <= partSize) {
      const input = { ...this.at(blobKey(digest)), Body: createReadStream(path), ContentLength: size, ChecksumSHA256: base64(digest) };
      await this.client.send(new this.sdk.PutObjectCommand(input));
    } else {
      const id = await this.begin(digest);
      const parts = [];
      for (let start = 0, number = 1; start < size; start += partSize, number++) {
        const end = Math.min(start + partSize, size);
        const input = { ...this.at(blobKey(digest)), UploadId: id, PartNumber: number, ContentLength: end - start };
        const { ETag } = await this.client.send(
          new this.sdk.UploadPartCommand({ ...input, Body: createReadStream(path, { start, end: end - 1 }) }),
        );
        parts.push({ ETag, PartNumber: number });
      }
      const input = { ...this.at(blobKey(digest)), UploadId: id, MultipartUpload: { Parts: parts } };
      await this.client.send(new this.sdk.CompleteMultipartUploadCommand(input));
    }
    this.there.add(digest);
  }

  /** Brings a blob to a file. It is for the caller to look at the content. Throws a `StorageProblem` when there is none. */
  async download(digest: Digest, path: string): Promise<void> {
    const body = await this.read(blobKey(digest));
    if (!body)
      throw new StorageProblem('missing', `The artifact ${digest} is not in the bucket any more; run the step that made it again.`);
    await this.save(body, path);
  }

  async put(key: string, content: string): Promise<void> {
    await this.client.send(new this.sdk.PutObjectCommand({ ...this.at(key), Body: content, ContentType: 'application/json' }));
  }

  /** Brings an object to a file, in one go. False when there is none. */
  async fetch(key: string, path: string): Promise<boolean> {
    const body = await this.read(key);
    if (!body) return false;
    await this.save(body, path);
    return true;
  }

  /** An address from which the object can be read. */
  reading(key: string): Promise<string> {
    return this.sign(new this.sdk.GetObjectCommand(this.at(key)));
  }

  /** An address to which the object can be written. */
  writing(key: string): Promise<string> {
    return this.sign(new this.sdk.PutObjectCommand({ ...this.at(key), ContentType: 'application/json' }));
  }

  /** Where these blobs are to be put, of those that are not there. */
  async missing(blobs: { digest: Digest; size: number }[]): Promise<Missing[]> {
    const wanted = await Promise.all(blobs.map(async blob => ((await this.head(blobKey(blob.digest))) === blob.size ? [] : [blob])));
    return Promise.all(wanted.flat().map(blob => (blob.size <= partSize ? this.whole(blob) : this.inParts(blob))));
  }

  /** Removes everything under an attempt's key. */
  async remove(keys: string[]): Promise<void> {
    await Promise.all(keys.map(key => this.client.send(new this.sdk.DeleteObjectCommand(this.at(key)))));
  }

  close(): void {
    this.client.destroy();
  }

  private async whole({ digest, size }: { digest: Digest; size: number }): Promise<Missing> {
    const sum = base64(digest);
    const command = new this.sdk.PutObjectCommand({ ...this.at(blobKey(digest)), ContentLength: size, ChecksumSHA256: sum });
    const put = await this.sign(command, ['x-amz-checksum-sha256', 'content-length']);
    return { digest, size, put, headers: { 'x-amz-checksum-sha256': sum } };
  }

  /** Such a blob is looked at when it is read: no store checks the digest of what came in parts. */
  private async inParts({ digest, size }: { digest: Digest; size: number }): Promise<Missing> {
    const id = await this.begin(digest);
    const at = { ...this.at(blobKey(digest)), UploadId: id };
    const parts = await Promise.all(
      Array.from({ length: Math.ceil(size / partSize) }, async (_, index) => {
        const start = index * partSize;
        const url = await this.sign(new this.sdk.UploadPartCommand({ ...at, PartNumber: index + 1 }));
        return { url, start, size: Math.min(partSize, size - start) };
      }),
    );
    return { digest, size, parts, complete: await this.sign(new this.sdk.CompleteMultipartUploadCommand(at)) };
  }

  private async begin(digest: Digest): Promise<string> {
    return (await this.client.send(new this.sdk.CreateMultipartUploadCommand(this.at(blobKey(digest))))).UploadId!;
  }

  private sign(command: Signable, fixed: string[] = []): Promise<string> {
    const headers = new Set(fixed);
    return this.signer.getSignedUrl(this.client, command as GetObjectCommand, {
      expiresIn: holds,
      unhoistableHeaders: headers,
      signableHeaders: headers,
    });
  }

  private at(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.bucket, Key: `${this.prefix}${key}` };
  }

  private async head(key: string): Promise<number | undefined> {
    try {
      return (await this.client.send(new this.sdk.HeadObjectCommand(this.at(key)))).ContentLength;
    } catch (error) {
      if (absent(error)) return undefined;
      throw trouble(error, this.bucket);
    }
  }

  private async read(key: string): Promise<Readable | undefined> {
    try {
      return (await this.client.send(new this.sdk.GetObjectCommand(this.at(key)))).Body as Readable;
    } catch (error) {
      if (absent(error)) return undefined;
      throw trouble(error, this.bucket);
    }
  }

  private async save(body: Readable, path: string): Promise<void> {
    const temporary = `${path}.${process.pid}.${Date.now()}.tmp`;
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    try {
      await pipeline(body, createWriteStream(temporary, { mode: 0o600 }));
      await rename(temporary, path);
    } finally {
      await rm(temporary, { force: true });
    }
  }
}

export const blobKey = (digest: Digest) => `sha256/${digest.slice(7, 9)}/${digest.slice(9)}`;

const base64 = (digest: Digest) => Buffer.from(digest.slice(7), 'hex').toString('base64');

const absent = (error: unknown) => ['NotFound', 'NoSuchKey'].includes((error as Error).name);

function trouble(error: unknown, bucket: string): StorageProblem {
  const { name, message } = error as Error;
  return new StorageProblem(
    'folder',
    `The bucket "${bucket}" cannot be used (${name}: ${message}); check STEPWELL_ARTIFACTS and its keys.`,
    { cause: error },
  );
}
