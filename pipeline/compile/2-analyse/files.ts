/** Which calls read and write files, and where in their arguments the path is. */

export interface FileCall {
  how: 'read' | 'write' | 'both' | 'open' | 'list';
  position: number;
  keyword: string[];
}

const call = (how: FileCall['how'], position = 0, ...keyword: string[]): FileCall => ({
  how,
  position,
  keyword: [
    ...keyword,
    'path',
    'filename',
    'file',
    'fname',
    'path_or_buf',
    'filepath_or_buffer',
    'filepath',
    'io',
    'path_or_buffer',
    'excel_writer',
    'fp',
    'f',
    'filename_or_obj',
  ],
});

/** Functions of modules, by full name. */
const functions: [RegExp, FileCall][] = [
  [/^(?:open|io\.open|codecs\.open|gzip\.open|bz2\.open|lzma\.open|pathlib\.Path\.open)$/, call('open')],
  [/^pandas\.read_(?!clipboard|sql|gbq|html)\w+$/, call('read')],
  [/^(?:polars|geopandas|dask\.dataframe|cudf|modin\.pandas|pyarrow\.(?:parquet|csv|feather|orc|json))\.(?:read|scan)_\w+$/, call('read')],
  [/^pyarrow\.(?:parquet|csv|feather|orc)\.write_\w+$/, call('write', 1, 'where', 'dest')],
  [/^pandas\.(?:ExcelWriter|HDFStore)$/, call('both')],
  [/^pandas\.(?:ExcelFile)$/, call('read')],
  [/^numpy\.(?:load|loadtxt|genfromtxt|fromfile|memmap)$/, call('read')],
  [/^numpy\.(?:save|savez|savez_compressed|savetxt)$/, call('write')],
  [/^(?:joblib|torch)\.load$/, call('read')],
  [/^(?:joblib\.dump|torch\.save)$/, call('write', 1)],
  [
    /^(?:scipy\.io\.(?:loadmat|wavfile\.read|arff\.loadarff)|imageio\.(?:v[23]\.)?imread|cv2\.imread|matplotlib\.(?:pyplot|image)\.imread|PIL\.Image\.open|skimage\.io\.imread|librosa\.load|soundfile\.read|h5py\.is_hdf5|netCDF4\.Dataset|xarray\.(?:open|load)_\w+|rasterio\.open|fitz\.open|yaml\.load_file|toml\.load|spacy\.load|mne\.io\.read_\w+|nibabel\.load|pydicom\.dcmread|anndata\.read_\w+|scanpy\.read\w*)$/,
    call('read'),
  ],
  [
    /^(?:scipy\.io\.savemat|scipy\.io\.wavfile\.write|imageio\.(?:v[23]\.)?imwrite|cv2\.imwrite|matplotlib\.(?:pyplot|image)\.imsave|skimage\.io\.imsave|soundfile\.write|matplotlib\.pyplot\.savefig)$/,
    call('write'),
  ],
  [/^(?:tensorflow\.)?keras\.(?:saving\.|models\.)?load_model$/, call('read')],
  [/^(?:h5py\.File|zipfile\.ZipFile|tarfile\.open|sqlite3\.connect|shelve\.open|duckdb\.connect)$/, call('both')],
  [/^os\.(?:remove|unlink|rmdir|removedirs|mkdir|makedirs|truncate|utime|chmod|symlink|link)$|^shutil\.rmtree$/, call('both')],
  [/^os\.path\.(?:exists|isfile|isdir|getsize|getmtime)$|^os\.stat$/, call('read')],
  [/^(?:os\.(?:listdir|scandir|walk)|glob\.i?glob|os\.path\.(?:walk))$/, call('list')],
  [/^(?:urllib\.request\.urlretrieve|wget\.download)$/, call('write', 1, 'out')],
];

/** Methods, whatever their object is. */
const methods: [RegExp, FileCall][] = [
  [/^to_(?:csv|parquet|excel|json|pickle|feather|hdf|html|latex|stata|orc|file|netcdf|zarr|markdown|string|xml)$/, call('write')],
  [
    /^(?:savefig|write_image|write_html|write_json|save_model|save_weights|save_word2vec_format|tofile|write_csv|write_parquet|write_ipc|sink_parquet|savetxt|dump_svmlight_file)$/,
    call('write'),
  ],
  [/^(?:load_model|load_weights|load_word2vec_format)$/, call('read')],
  [/^(?:retrieve|extractall|extract|download)$/, call('write')],
];

/** What a function with this full name does to files; undefined: nothing known. */
export function fileFunction(name: string): FileCall | undefined {
  const last = name.charCodeAt(name.lastIndexOf('.') + 1);
  if (last === 95) return undefined;
  return lookup(functions, name, foundFunctions);
}

export const fileMethod = (name: string): FileCall | undefined => lookup(methods, name, foundMethods);

/** Functions that move or copy: first argument read, second written. */
export const copies = (name: string): boolean =>
  /^(?:shutil\.(?:copy|copy2|copyfile|copytree|move|make_archive|unpack_archive)|os\.(?:rename|replace|renames))$/.test(name);

/** Functions that run other programs. */
export const runsCommands = (name: string): boolean => /^(?:os\.(?:system|popen|exec\w+|spawn\w+)|subprocess\.\w+)$/.test(name);

const foundFunctions = new Map<string, FileCall | undefined>();
const foundMethods = new Map<string, FileCall | undefined>();

function lookup(table: [RegExp, FileCall][], name: string, found: Map<string, FileCall | undefined>): FileCall | undefined {
  if (found.has(name)) return found.get(name);
  const known = table.find(([pattern]) => pattern.test(name))?.[1];
  if (found.size < 5000) found.set(name, known);
  return known;
}

/** A literal path as `file:` names know it, or undefined for what is no file of the workspace (a URL, standard streams). */
export function plainPath(path: string): string | undefined {
  if (!path || /^[a-zA-Z][\w+.-]+:\/\//.test(path) || /^data:/.test(path)) return undefined;
  return path
    .replace(/\\\\/g, '/')
    .replace(/^(?:\.\/+)+/, '')
    .replace(/\/{2,}/g, '/');
}
