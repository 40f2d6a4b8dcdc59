/**
 * What calls are known to do, by name. Three tables: methods (whatever the object is), functions of modules (by their full dotted name), and builtins.
 * What no table knows is left to a rule: a dropped result means the call is there for its effect, a used result means it most likely is not. A wrong guess costs time, not truth: the run compares
 * values before and after each step.
 */

import type { Channel } from '../../model/name';

const words = (text: string): Set<string> => new Set(text.trim().split(/\s+/));

/** Methods that change their object, used result or not. */
const mutators = words(`
append appendleft extend extendleft insert remove pop popleft popitem clear update setdefault add discard sort reverse rotate
intersection_update difference_update symmetric_difference_update subtract move_to_end __setitem__ __delitem__ __setattr__ __iadd__ send throw close write writelines read readline readlines seek truncate flush
fit fit_transform fit_predict partial_fit fit_resample fit_sample fit_generator train_on_batch set_params train eval step backward zero_grad load_state_dict load_weights compile build add_module register_buffer
register_parameter register_forward_hook requires_grad_ apply_gradients minimize assign assign_add assign_sub apply_ cuda half set_weights learn compile_model
fill put itemset setflags resize partition setfield byteswap set_index_inplace
set set_title set_xlabel set_ylabel set_zlabel set_xlim set_ylim set_xticks set_yticks set_xticklabels set_yticklabels set_aspect set_facecolor set_visible set_data set_position legend grid tick_params axvline
axhline axvspan axhspan annotate text twinx twiny bar barh scatter plot_surface imshow pcolormesh contour contourf fill_between errorbar pie violinplot stackplot stem colorbar suptitle tight_layout subplots_adjust add_subplot
add_axes add_patch add_artist add_collection add_line add_trace add_traces update_layout update_traces update_xaxes update_yaxes add_shape add_annotation add_hline add_vline set_xscale set_yscale invert_xaxis invert_yaxis margins
cla clf delaxes autofmt_xdate align_labels set_size_inches set_axis_off set_axis_on
add_node add_nodes_from add_edge add_edges_from remove_node remove_nodes_from remove_edge add_weighted_edges_from
execute executemany executescript commit rollback fetchone fetchmany fetchall
put_nowait get_nowait task_done acquire release start join_thread terminate kill set_postfix set_description
add_argument register setLevel addHandler removeHandler addFilter seed shuffle setstate put_ put_along_axis
add_layer add_child add_to setup_method cache_clear reset push_back enqueue dequeue advance trigger attach detach_ mkdir_p set_value set_state set_config
`);

/** Methods that only look, whatever becomes of the result, and whose result shares nothing with the object. */
const readers = words(`
head tail describe info mean median mode std var sum min max count nunique unique value_counts corr cov quantile isna isnull notna notnull dropna fillna drop_duplicates duplicated sort_values sort_index
reset_index set_index rename drop groupby agg aggregate apply applymap map transform pivot pivot_table melt merge join concat assign astype round abs clip copy deepcopy equals to_dict to_list tolist to_numpy
to_string to_frame to_markdown to_html to_csv to_parquet to_excel to_json to_pickle to_feather to_hdf to_sql to_latex to_clipboard query nlargest nsmallest idxmax idxmin argmax argmin argsort cumsum cumprod cummax cummin diff pct_change rolling expanding ewm resample
shift rank between isin where mask select_dtypes memory_usage keys_list combine combine_first interpolate bfill ffill crosstab cut qcut explode stack_copy unstack corrwith sem skew kurt kurtosis prod product any all dot
plot hist boxplot area kde density hexbin show savefig
predict predict_proba predict_log_proba decision_function score score_samples transform inverse_transform get_params get_feature_names_out get_feature_names kneighbors apply_predict cross_val_score staged_predict evaluate summary state_dict
get_depth get_n_leaves get_booster get_score get_dump get_weights count_params save save_model save_weights
upper lower strip lstrip rstrip split rsplit splitlines join_strings replace startswith endswith find rfind index rindex format encode decode title capitalize casefold swapcase center ljust rjust zfill isdigit isalpha isalnum isnumeric
isspace isupper islower istitle isidentifier partition_text rpartition expandtabs translate removeprefix removesuffix hex bit_length as_integer_ratio conjugate is_integer strftime isoformat timestamp date time weekday isoweekday total_seconds toordinal
union intersection difference symmetric_difference issubset issuperset isdisjoint most_common elements
exists is_file is_dir stat iterdir glob rglob read_text read_bytes write_text write_bytes mkdir touch unlink rmdir with_suffix with_name relative_to resolve absolute as_posix
debug info_log warning error critical exception log isEnabledFor getEffectiveLevel
item numpy cpu size dim numel nelement element_size clone nonzero norm matmul mm bmm softmax log_softmax sigmoid tanh relu exp log log2 log10 sqrt pow sin cos topk argmax_ eq ne lt le gt ge float int long double bool
trace conj searchsorted repeat tobytes dumps tofile ptp choose compress
group groups groupdict start_of end span search match fullmatch findall finditer sub subn
isocalendar utcoffset tzname day_name month_name to_pydatetime to_period to_timestamp tz_localize tz_convert normalize floor ceil
json raise_for_status getsize getvalue tell fileno isatty readable writable seekable
nodes_list degree number_of_nodes number_of_edges neighbors successors predecessors has_node has_edge subgraph_copy
style_format highlight_max highlight_min background_gradient format_style to_device_name
`);

/** Methods that only look, but whose result may be a part or a view of the object. */
const viewers = words(`
items keys values get iterrows itertuples iteritems ravel reshape view squeeze transpose swapaxes diagonal T flatten_view loc iloc at iat parameters named_parameters children modules named_modules named_steps xs
first last nodes edges groups get_group set_axis rename_axis expand permute unsqueeze narrow chunk contiguous detach to type_as filter pipe stack unstack swaplevel droplevel reindex truncate_view align
get_figure get_axes gca gcf get_legend get_lines get_children cell getattr __getitem__ __getattr__ __iter__ named_children buffers param_groups rows cols columns iter_rows elements_view subplots
`);

/** Mutators that keep what they are given: afterwards the object and the argument share. */
const keepers = words(
  'append appendleft extend extendleft insert add update setdefault put send register add_module set_params __setitem__ put_nowait compile add_trace add_layer add_child attach',
);

/** Mutators whose result shares nothing with their object. */
const newResults = words(
  'read readline readlines write writelines seek truncate fit_transform fit_predict send fetchone fetchmany fetchall step text annotate remove sort reverse clear',
);
export const givesNew = (method: string): boolean => newResults.has(method);

/** Mutators whose arguments may change as well. */
const changesArguments = words('minimize apply_gradients');

export type MethodKind = 'changes' | 'reads' | 'views' | 'unknown';

/** What a method of this name does to its object. */
export function methodKind(name: string): MethodKind {
  if (mutators.has(name)) return 'changes';
  if (viewers.has(name)) return 'views';
  if (readers.has(name)) return 'reads';
  // torch marks its in-place methods so.
  if (name.length > 1 && name.endsWith('_') && !name.endsWith('__')) return 'changes';
  if (/^(?:is|has|get|to|as|count|plot)_/.test(name)) return name.startsWith('get_') ? 'views' : 'reads';
  if (/^(?:set|add|remove|del|delete|update|append|insert|push|reset|register|fit|train|load)_/.test(name)) return 'changes';
  return 'unknown';
}

export const keepsArguments = (method: string): boolean => keepers.has(method);
export const methodChangesArguments = (method: string): boolean => changesArguments.has(method);

/** What calling a function is known to do. */
export interface KnownCall {
  /** Positions of arguments whose object it changes; `all` for every one. Method receivers are not counted. */
  changes: number[] | 'all';
  /** `new`: the result shares nothing with the arguments. `part`: it may be, hold or view one of them. */
  result: 'new' | 'part';
  /** Channels it looks at, and changes. */
  reads: string[];
  writes: string[];
}

const pure: KnownCall = { changes: [], result: 'new', reads: [], writes: [] };
const viewing: KnownCall = { ...pure, result: 'part' };
const changing = (changes: number[] | 'all', result: 'new' | 'part' = 'part'): KnownCall => ({ ...pure, changes, result });

const builtinPure = words(`
abs all any ascii bin bool breakpoint bytearray bytes callable chr complex dir display divmod float format frozenset hasattr hash help hex id input int isinstance issubclass len memoryview object oct open ord pow print range repr
round slice str sum super type help get_ipython locals globals staticmethod classmethod property
`);
const builtinViewing = words('dict enumerate filter getattr iter list map max min reversed set sorted tuple vars zip aiter');

/** What a builtin does when called; undefined for a name that is none, or that gets a rule of its own (`exec`, `eval`). */
export function builtinCall(name: string): KnownCall | undefined {
  if (name === 'next' || name === 'anext' || name === 'setattr' || name === 'delattr') return changing([0]);
  if (builtinPure.has(name) || /(?:Error|Exception|Warning|Interrupt|Exit|Iteration)$/.test(name)) return pure;
  return builtinViewing.has(name) ? viewing : undefined;
}

/** Functions that change an argument, by full name; the numbers are positions. */
const changers: Record<string, number[] | 'all'> = {
  'random.shuffle': [0],
  'numpy.random.shuffle': [0],
  'numpy.copyto': [0],
  'numpy.put': [0],
  'numpy.place': [0],
  'numpy.putmask': [0],
  'numpy.fill_diagonal': [0],
  'numpy.put_along_axis': [0],
  'heapq.heappush': [0],
  'heapq.heappop': [0],
  'heapq.heapify': [0],
  'heapq.heapreplace': [0],
  'heapq.heappushpop': [0],
  'bisect.insort': [0],
  'bisect.insort_left': [0],
  'bisect.insort_right': [0],
  'operator.setitem': [0],
  'operator.delitem': [0],
  'operator.iadd': [0],
  'json.dump': [1],
  'pickle.dump': [1],
  'json.load': [0],
  'pickle.load': [0],
  'sklearn.utils.shuffle': [],
  'sklearn.model_selection.cross_val_score': [],
  'sklearn.model_selection.cross_validate': [],
  'torch.manual_seed': [],
  'torch.nn.utils.clip_grad_norm_': [0],
  'torch.nn.utils.clip_grad_value_': [0],
  'functools.update_wrapper': [0],
  'gc.collect': [],
  'time.sleep': [],
  'pprint.pprint': [],
  'IPython.display.display': [],
};

/** Modules whose functions give something new and leave their arguments alone, apart from `changers` and what `views` and constructors keep. */
const pureModules =
  /^(?:numpy|pandas|math|cmath|statistics|scipy|sklearn|re|json|operator|itertools|string|textwrap|datetime|time|calendar|decimal|fractions|hashlib|base64|os|os\.path|pathlib|glob|shutil|sys|platform|uuid|struct|html|urllib|requests|pprint|typing|types|inspect|warnings|logging|locale|pickle|joblib|random|tqdm|matplotlib|seaborn|plotly|altair|bokeh|PIL|cv2|skimage|statsmodels|IPython|xarray|polars|pyarrow|torch|tensorflow|copy|collections|functools|gc|csv|io|tempfile|subprocess|getpass|socket|secrets|zipfile|tarfile|gzip|sqlite3|psutil|traceback|unittest|nltk|spacy|networkx|geopandas|shapely|folium|yaml|toml|tomllib|contextlib|dataclasses|enum|abc|numbers|keyword|imblearn|sksurv|xgboost|lightgbm|catboost|shap|optuna|transformers|datasets)(?:\.|$)/;
/** Functions of these that hand back (a part of) what they got. */
const partial = words(
  'asarray asanyarray ascontiguousarray atleast_1d atleast_2d atleast_3d reshape ravel squeeze transpose swapaxes moveaxis expand_dims broadcast_to broadcast_arrays split array_split hsplit vsplit diagonal flip flipud fliplr rot90 from_numpy as_tensor tensor_view partial wraps lru_cache cache chain islice tee cycle zip_longest product permutations combinations starmap repeat groupby accumulate takewhile dropwhile filterfalse compress pairwise count copy namedtuple defaultdict deque tqdm trange notebook reduce itemgetter attrgetter make_pipeline make_column_transformer make_union clone_ref nditer ndenumerate get_data from_dict display_data subplots subplot figure axes gca gcf contextmanager suppress closing nullcontext dataclass field cast compile getLogger',
);

/**
 * What calling the function with this full name (`numpy.random.shuffle`) does; undefined when nothing is known of its module.
 * Seedless drawing (`sample()` without `random_state`) is not here: it needs the arguments.
 */
export function knownCall(name: string): KnownCall | undefined {
  const { reads, writes } = channelsOfCall(name);
  const changes = Object.hasOwn(changers, name) ? changers[name] : undefined;
  if (changes === undefined && !pureModules.test(name))
    return reads.length || writes.length ? { changes: [], result: 'part', reads, writes } : undefined;
  const last = name.slice(name.lastIndexOf('.') + 1);
  // A class keeps what it is made from.
  const result = partial.has(last) || /^[A-Z]/.test(last) ? 'part' : 'new';
  return { changes: changes ?? (name.endsWith('_') ? [0] : []), result, reads, writes };
}

/** Calls that make objects from bytes by the names of their classes: any class or function of the notebook may be among them. */
export const unpickles = (name: string): boolean =>
  /^(?:c?[pP]ickle|dill|cloudpickle|joblib|torch|shelve|marshal|jsonpickle|skops\.io)\.(?:loads?|open|Unpickler|decode)$|^(?:numpy\.load|pandas\.read_pickle)$/.test(
    name,
  );

const prefixes: [RegExp, Channel | '', 'reads' | 'both' | 'writes'][] = [
  [/^numpy\.random\.(?:default_rng|Generator|RandomState|SeedSequence|PCG64|MT19937|Philox|SFC64|BitGenerator)\b/, '', 'reads'],
  [/^numpy\.random\.seed$/, '@numpy.random', 'writes'],
  [/^numpy\.random\.get_state$/, '@numpy.random', 'reads'],
  [/^numpy\.random\.set_state$/, '@numpy.random', 'writes'],
  [/^numpy\.random\./, '@numpy.random', 'both'],
  [/^random\.(?:Random|SystemRandom)$/, '', 'reads'],
  [/^random\.(?:seed|setstate)$/, '@random', 'writes'],
  [/^random\.getstate$/, '@random', 'reads'],
  [/^random\./, '@random', 'both'],
  [/^(?:uuid\.uuid4|secrets\.|os\.urandom)/, '', 'reads'],
  [/^torch\.(?:manual_seed|set_rng_state|seed|cuda\.manual_seed|cuda\.manual_seed_all|random\.manual_seed)$/, '@torch.random', 'writes'],
  [
    /^torch\.(?:rand|randn|randint|randperm|rand_like|randn_like|randint_like|normal|bernoulli|multinomial|poisson|dropout|get_rng_state)$/,
    '@torch.random',
    'both',
  ],
  [
    /^torch\.(?:nn\.(?!functional|utils|init|Module$)[A-Z]\w*|nn\.init\.\w+|nn\.functional\.dropout\w*|utils\.data\.(?:DataLoader|random_split))$/,
    '@torch.random',
    'both',
  ],
  [
    /^(?:tensorflow\.(?:keras\.utils\.)?(?:set_random_seed|random\.set_seed)|keras\.utils\.set_random_seed)$/,
    '@tensorflow.random',
    'writes',
  ],
  [/^(?:tensorflow\.random\.|tensorflow\.keras\.(?:layers|models)|keras\.(?:layers|models))/, '@tensorflow.random', 'both'],
  [/^os\.(?:environ\.(?:get|keys|items|values|copy)|getenv)$/, '@environ', 'reads'],
  [/^(?:os\.(?:putenv|unsetenv)|os\.environ\.\w+|dotenv\.load_dotenv)$/, '@environ', 'writes'],
  [/^os\.(?:chdir|fchdir)$/, '@cwd', 'writes'],
  [/^os\.(?:getcwd|path\.abspath|path\.realpath)$|^pathlib\.Path\.cwd$/, '@cwd', 'reads'],
  [/^(?:sys\.path\.(?:append|insert|extend|remove|pop|clear)|site\.addsitedir)$/, '@path', 'writes'],
  [/^sys\.path\./, '@path', 'reads'],
  [/^warnings\.(?:filterwarnings|simplefilter|resetwarnings)$/, '@warnings', 'writes'],
  [/^warnings\.warn/, '@warnings', 'reads'],
  [
    /^(?:matplotlib\.(?:use|rc|rcdefaults|rcParams\.\w+|rc_file|style\.use|set_loglevel)|matplotlib\.pyplot\.(?:rc|rcdefaults|rcParams\.\w+|style\.use|switch_backend|ion|ioff|set_cmap|xkcd)|matplotlib\.style\.use)$/,
    '@matplotlib',
    'writes',
  ],
  [/^seaborn\.(?:set|set_theme|set_style|set_context|set_palette|set_color_codes|reset_defaults|reset_orig)$/, '@matplotlib', 'writes'],
  [
    /^(?:IPython\.display\.)?set_matplotlib_(?:formats|close)$|^IPython\.display\.set_matplotlib_\w+$|^matplotlib_inline\.\w+\.set_matplotlib_\w+$/,
    '@matplotlib',
    'writes',
  ],
  [/^(?:matplotlib|seaborn)\./, '@matplotlib', 'reads'],
  [/^pandas\.(?:set_option|reset_option|options\..*|set_eng_float_format)$/, '@pandas', 'writes'],
  [/^pandas\.(?:get_option|describe_option)$/, '@pandas', 'reads'],
  [/^pandas\.plotting\./, '@matplotlib', 'reads'],
  [/^numpy\.(?:set_printoptions|seterr|seterrcall|setbufsize|set_string_function)$/, '@numpy', 'writes'],
  [/^numpy\.(?:get_printoptions|geterr|array_str|array_repr|array2string)$/, '@numpy', 'reads'],
  [/^locale\.(?:setlocale|resetlocale)$|^decimal\.(?:set|get)context$/, '@locale', 'writes'],
  [/^locale\.|^decimal\./, '@locale', 'reads'],
  [/^logging\.(?:basicConfig|disable|setLoggerClass|addLevelName|captureWarnings|config\.\w+)$/, '@logging', 'writes'],
  [/^logging\./, '@logging', 'reads'],
  [/^sklearn\.model_selection\.train_test_split$/, '', 'reads'],
];

const found = new Map<string, { reads: string[]; writes: string[] }>();
const none = { reads: [], writes: [] };

/** The channels that a function or attribute with this full name looks at (`reads`) and changes (`writes`). */
export function channelsOfCall(name: string): { reads: string[]; writes: string[] } {
  let known = found.get(name);
  if (known) return known;
  known = none;
  for (const [pattern, channel, how] of prefixes) {
    if (!pattern.test(name)) continue;
    if (channel) known = { reads: how === 'writes' ? [] : [channel], writes: how === 'reads' ? [] : [channel] };
    break;
  }
  // The answer depends on the name alone, so keeping it changes nothing; the limit keeps an editor's session small.
  if (found.size < 5000) found.set(name, known);
  return known;
}

/** Calls that draw from NumPy's global generator unless `random_state` or `seed` is given, by the last part of the name. Fitting an estimator may draw as well, but does so mostly from a seed: that is left to the run. */
const seedless = words(
  'sample train_test_split shuffle resample make_blobs make_classification make_regression make_moons make_circles make_friedman1 make_swiss_roll make_s_curve',
);

export const drawsWithoutSeed = (last: string): boolean => seedless.has(last);
