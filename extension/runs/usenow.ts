/** The time, for what is drawn by React: it moves on once a second while something that is shown runs. */
import { useEffect, useState } from 'react';

export function useNow(ticks: boolean): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (!ticks) return;
    setNow(Date.now());
    const clock = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(clock);
  }, [ticks]);
  return now;
}
