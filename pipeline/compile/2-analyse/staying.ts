/** What certainly cannot leave its process, by the call that makes it. Only what is sure: of all else the run finds out. */
const kinds: [RegExp, string][] = [
  [/^(?:open|io\.open|codecs\.open|gzip\.open|bz2\.open|lzma\.open|tarfile\.open|zipfile\.ZipFile|h5py\.File)$/, 'an open file'],
  [
    /^(?:sqlite3(?:\.dbapi2)?|psycopg2?|pymysql|MySQLdb|cx_Oracle|oracledb|pyodbc|duckdb|mysql\.connector)\.connect$/,
    'a database connection',
  ],
  [
    /^(?:threading|multiprocessing)\.(?:R?Lock|Event|Condition|Semaphore|BoundedSemaphore|Barrier|Thread|Process|Timer|Pool|Queue)$/,
    'tied to its process',
  ],
  [/^queue\.(?:Queue|LifoQueue|PriorityQueue|SimpleQueue)$/, 'tied to its process'],
  [/^concurrent\.futures\.(?:Thread|Process)PoolExecutor$/, 'tied to its process'],
  [/^subprocess\.Popen$/, 'a running program'],
  [/^socket\.(?:socket|create_connection)$/, 'an open connection'],
];

/** What the call with this full name makes, in words, if that can't leave the process. */
export function stays(name: string): string | undefined {
  if (
    !/(?:open|ZipFile|File|connect|Lock|Event|Condition|Semaphore|Barrier|Thread|Process|Timer|Pool|Queue|Executor|socket|_connection)$/.test(
      name,
    )
  )
    return undefined;
  return kinds.find(([pattern]) => pattern.test(name))?.[1];
}
