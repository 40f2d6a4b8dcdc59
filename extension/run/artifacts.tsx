/** What the steps of a run wrote, with a preview of each: the head of a table, an image, plain data, or its one line. */
import type { TranslationBundle } from '@jupyterlab/translation';
import { useEffect, useState } from 'react';
import { filePath, isFile, isVariable } from '../../pipeline/model/name';
import type { ArtifactView } from '../../pipeline/model/protocol';
import { bytes } from '../runs/time';
import { sentence } from '../service/fault';

/** Only what a browser shows as a picture; in one, SVG runs no script. */
const pictures: Record<string, string> = {
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  gif: 'image/gif',
  webp: 'image/webp',
  svg: 'image/svg+xml',
};
/** Bytes of a picture that is fetched for a look. */
const largestPicture = 10_000_000;
/** Characters of plain data that are shown. */
const longestData = 20_000;

interface ArtifactsProps {
  artifacts: readonly ArtifactView[];
  fetch: (digest: string) => Promise<Blob>;
  trans: TranslationBundle;
}

export function Artifacts({ artifacts, fetch, trans }: ArtifactsProps): JSX.Element {
  const [channels, setChannels] = useState(false);
  const shown = channels ? artifacts : artifacts.filter(({ name }) => isVariable(name) || isFile(name));
  const hidden = artifacts.length - artifacts.filter(({ name }) => isVariable(name) || isFile(name)).length;
  return (
    <div className="stepwell-artifacts">
      {shown.length === 0 && <p className="stepwell-run-empty">{trans.__('Nothing was handed on to other steps yet.')}</p>}
      <ul>
        {shown.map(artifact => (
          <li key={`${artifact.step} ${artifact.attempt} ${artifact.name}`}>
            <Artifact artifact={artifact} fetch={fetch} trans={trans} />
          </li>
        ))}
      </ul>
      {hidden > 0 && (
        <label className="stepwell-form-tick">
          <input type="checkbox" checked={channels} onChange={event => setChannels(event.target.checked)} />
          {trans.__('Also what Python itself keeps: random generators, plotting options and the like (%1)', hidden)}
        </label>
      )}
    </div>
  );
}

function Artifact({ artifact, fetch, trans }: { artifact: ArtifactView } & Omit<ArtifactsProps, 'artifacts'>): JSX.Element {
  const { name, step, size, type, digest, preview } = artifact;
  const [open, setOpen] = useState(false);
  const [fault, setFault] = useState<string>();
  const title = isFile(name) ? filePath(name) : name;
  const save = async () => {
    try {
      const address = URL.createObjectURL(await fetch(digest));
      const link = document.createElement('a');
      link.href = address;
      link.download = title.slice(title.lastIndexOf('/') + 1) || 'artifact';
      link.click();
      // The browser has taken what it needs by the time that it goes on.
      setTimeout(() => URL.revokeObjectURL(address), 10_000);
      setFault(undefined);
    } catch (error) {
      setFault(sentence(error));
    }
  };
  return (
    <details className="stepwell-artifact" onToggle={event => setOpen(event.currentTarget.open)}>
      <summary>
        <span className="stepwell-artifact-name">{title}</span>
        <span className="stepwell-artifact-about">{preview?.text ?? type ?? ''}</span>
        <span className="stepwell-artifact-step">{step}</span>
        <span className="stepwell-artifact-size">{bytes(size)}</span>
      </summary>
      {open && (
        <div className="stepwell-artifact-inside">
          <Look artifact={artifact} fetch={fetch} trans={trans} />
          <p className="stepwell-artifact-foot">
            <code title={digest}>{digest.slice(0, 19)}…</code>
            <button type="button" className="stepwell-link" onClick={() => void save()}>
              {trans.__('Download')}
            </button>
            {fault && <span role="alert">{fault}</span>}
          </p>
        </div>
      )}
    </details>
  );
}

function Look({ artifact, fetch, trans }: { artifact: ArtifactView } & Omit<ArtifactsProps, 'artifacts'>): JSX.Element {
  const { name, preview, size, digest } = artifact;
  const picture = isFile(name) ? pictures[name.slice(name.lastIndexOf('.') + 1).toLowerCase()] : undefined;
  if (picture && size <= largestPicture) return <Picture type={picture} alt={filePath(name)} digest={digest} fetch={fetch} trans={trans} />;
  if (preview?.rows && preview.columns) {
    return (
      <div className="stepwell-table-holder">
        <table className="stepwell-table">
          <thead>
            <tr>
              {preview.columns.map(({ name: column, dtype }, index) => (
                <th scope="col" key={`${index} ${column}`}>
                  {column} <small>{dtype}</small>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {preview.rows.map((row, index) => (
              <tr key={`${index} ${row.join(' ')}`}>
                {row.map((cell, column) => (
                  <td key={`${column} ${cell}`}>{cell}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    );
  }
  if (preview?.json !== undefined) {
    const text = JSON.stringify(preview.json, null, 2);
    return <pre className="stepwell-artifact-data">{text.length > longestData ? `${text.slice(0, longestData)}\n…` : text}</pre>;
  }
  return <p>{preview?.text ?? trans.__('There is no preview of it.')}</p>;
}

function Picture({
  type,
  alt,
  digest,
  fetch,
  trans,
}: { type: string; alt: string; digest: string } & Omit<ArtifactsProps, 'artifacts'>): JSX.Element {
  const [address, setAddress] = useState<string>();
  const [fault, setFault] = useState<string>();
  useEffect(() => {
    let made: string | undefined;
    let gone = false;
    fetch(digest).then(
      blob => {
        if (gone) return;
        made = URL.createObjectURL(blob.slice(0, blob.size, type));
        setAddress(made);
      },
      error => gone || setFault(sentence(error)),
    );
    return () => {
      gone = true;
      if (made) URL.revokeObjectURL(made);
    };
  }, [digest, type]);
  if (fault) return <p role="alert">{fault}</p>;
  return address ? <img className="stepwell-artifact-picture" src={address} alt={alt} /> : <p>{trans.__('Loading…')}</p>;
}
