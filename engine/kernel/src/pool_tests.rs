use super::*;

/// Squares its number; 13 panics, 14 fails; notes the order in which it was called.
#[derive(Default)]
struct Square {
    order: Arc<Mutex<Vec<u64>>>,
    running: AtomicUsize,
}

impl Runner for Square {
    type Job = u64;
    type Output = u64;
    fn run(&self, _worker: usize, n: u64) -> Result<u64, String> {
        self.order.lock().expect("not poisoned").push(n);
        self.running.fetch_add(1, Ordering::SeqCst);
        match n {
            13 => panic!("unlucky"),
            14 => Err("fourteen".into()),
            99 => {
                std::thread::sleep(Duration::from_millis(50));
                Ok(n * n)
            }
            _ => Ok(n * n),
        }
    }

    fn at_once(&self, n: &u64) -> bool {
        *n >= 1_000
    }
}

fn pool(workers: usize, budget: u64) -> (Pool<Square>, Arc<Mutex<Vec<u64>>>) {
    let runner = Square::default();
    let order = runner.order.clone();
    let config = PoolConfig { workers, budget_bytes: budget };
    (Pool::new(config, runner).expect("threads can be started"), order)
}

/// Waits until the pool has come so far; a loaded machine may take its time.
fn until(pool: &Pool<Square>, so_far: impl Fn(&Pool<Square>) -> bool) {
    let start = Instant::now();
    while !so_far(pool) {
        assert!(start.elapsed() < Duration::from_secs(20), "{:?}", pool.stats());
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn due(us: u64) -> Time {
    Time::from_micros(us)
}

#[test]
fn results_belong_to_their_jobs_on_any_number_of_workers() {
    for workers in [1, 2, 8] {
        let (mut pool, _) = pool(workers, u64::MAX);
        for n in 0..500 {
            pool.submit(JobId(n), due(500 - n), 1, Urgency::Eager, n + 100);
        }
        for n in 0..500 {
            assert_eq!(pool.take(JobId(n)), Ok((n + 100) * (n + 100)));
        }
        assert_eq!(pool.take(JobId(3)), Err(JobError::NotOpen(JobId(3))));
    }
}

#[test]
fn panics_and_errors_are_results() {
    let (mut pool, _) = pool(2, u64::MAX);
    for n in [13, 14, 15] {
        pool.submit(JobId(n), due(n), 1, Urgency::Eager, n);
    }
    assert_eq!(pool.take(JobId(13)), Err(JobError::Panicked("unlucky".into())));
    assert_eq!(pool.take(JobId(14)), Err(JobError::Failed("fourteen".into())));
    assert_eq!(pool.take(JobId(15)), Ok(225));
}

#[test]
fn the_earliest_due_job_starts_first() {
    let (mut pool, order) = pool(1, u64::MAX);
    pool.submit(JobId(0), due(0), 1, Urgency::Eager, 99);
    until(&pool, |pool| pool.queued_and_running().1 == 1);
    for n in [5, 3, 4, 1, 2] {
        pool.submit(JobId(n), due(n * 10), 1, Urgency::Eager, n);
    }
    (0..=5).for_each(|n| drop(pool.take(JobId(n))));
    assert_eq!(*order.lock().expect("not poisoned"), [99, 1, 2, 3, 4, 5]);
}

#[test]
fn lazy_jobs_start_on_demand_only_and_cancelled_ones_never() {
    let (mut pool, order) = pool(2, u64::MAX);
    for n in 0..20 {
        pool.submit(JobId(n), due(n), 1, Urgency::Lazy, n);
    }
    std::thread::sleep(Duration::from_millis(20));
    assert_eq!(pool.stats().computed, 0);
    let wanted: Vec<JobId> = (0..5).map(JobId).collect();
    pool.demand(&wanted);
    wanted.iter().for_each(|id| assert_eq!(pool.take(*id), Ok(id.0 * id.0)));
    (5..20).for_each(|n| pool.cancel(JobId(n)));
    assert_eq!(pool.stats().computed, 5);
    assert_eq!(pool.stats().cancelled_unstarted, 15);
    assert_eq!(order.lock().expect("not poisoned").len(), 5);
    assert_eq!(pool.open_jobs(), 0);
}

#[test]
fn results_ahead_stay_within_the_budget_and_never_block_the_needed_one() {
    let (mut pool, _) = pool(2, 300);
    for n in 0..50 {
        pool.submit(JobId(n), due(1000 - n), 100, Urgency::Eager, n + 100);
    }
    until(&pool, |pool| pool.stats().computed == 3);
    std::thread::sleep(Duration::from_millis(20));
    assert_eq!(pool.stats().computed, 3, "no more than the budget allows");
    (0..50).for_each(|n| assert_eq!(pool.take(JobId(n)), Ok((n + 100) * (n + 100))));
    assert!(pool.stats().peak_bytes <= 400, "{:?}", pool.stats());
}

#[test]
fn cancelling_what_runs_counts_as_waste_and_frees_its_bytes() {
    let (mut pool, _) = pool(1, 100);
    pool.submit(JobId(1), due(1), 100, Urgency::Eager, 99);
    until(&pool, |pool| pool.queued_and_running().1 == 1);
    pool.cancel(JobId(1));
    pool.submit(JobId(2), due(2), 100, Urgency::Eager, 2);
    assert_eq!(pool.take(JobId(2)), Ok(4));
    assert_eq!(pool.stats().cancelled_started, 1);
    assert_eq!(pool.shared.board().held_bytes, 0);
}

#[test]
fn jobs_that_are_no_work_are_done_when_they_are_taken() {
    let (mut pool, order) = pool(1, 0);
    (1_000..1_005).for_each(|n| pool.submit(JobId(n), due(n), 1 << 40, Urgency::Eager, n));
    pool.cancel(JobId(1_001));
    assert_eq!((pool.open_jobs(), pool.queued_and_running().0), (4, 4));
    assert_eq!(pool.stats().computed, 0);
    assert_eq!(pool.take(JobId(1_003)), Ok(1_003 * 1_003));
    assert_eq!(pool.take(JobId(1_003)), Err(JobError::NotOpen(JobId(1_003))));
    assert_eq!(pool.take(JobId(1_000)), Ok(1_000_000));
    let stats = pool.stats();
    assert_eq!((stats.submitted, stats.computed, stats.cancelled_unstarted), (5, 2, 1));
    assert_eq!(*order.lock().expect("not poisoned"), [1_003, 1_000]);
}

#[test]
fn of_those_demanded_together_the_last_due_start_first_if_all_fit() {
    for (budget, expected) in [(60, [99, 5, 4, 2, 1, 3]), (39, [99, 1, 5, 2, 4, 3])] {
        let (mut pool, order) = pool(1, budget);
        pool.submit(JobId(0), due(0), 1, Urgency::Eager, 99);
        until(&pool, |pool| pool.queued_and_running().1 == 1);
        for n in 1..=5 {
            pool.submit(JobId(n), due(n * 10), 10, Urgency::Eager, n);
        }
        pool.demand(&[1, 5, 2, 4].map(JobId));
        [0, 1, 5, 2, 4, 3].into_iter().for_each(|n| drop(pool.take(JobId(n))));
        assert_eq!(*order.lock().expect("not poisoned"), expected, "{budget}");
    }
}

/// Says which worker did a job.
struct Who;

impl Runner for Who {
    type Job = ();
    type Output = usize;
    fn run(&self, worker: usize, (): ()) -> Result<usize, String> {
        Ok(worker)
    }
}

#[test]
fn a_group_does_the_jobs_of_its_numbers_and_no_others() {
    let groups = Groups::new(&[0, 1, 1]);
    let mut pool = Pool::grouped(groups.clone(), 400, Who).expect("threads can be started");
    for n in 0..300 {
        let urgency = if n % 5 == 0 { Urgency::Lazy } else { Urgency::Eager };
        pool.submit(JobId(n), due(300 - n), 100, urgency, ());
    }
    pool.demand(&[JobId(7), JobId(5)]);
    (280..300).for_each(|n| pool.cancel(JobId(n)));
    for n in (0..280).rev() {
        let worker = pool.take(JobId(n)).expect("it was submitted");
        assert_eq!(groups.of_worker(worker), usize::from(n % 3 != 0), "job {n} by worker {worker}");
    }
    pool.submit_to(1, (JobId(300), due(0)), 1, Urgency::Eager, ());
    assert_ne!(pool.take(JobId(300)).expect("it was submitted"), 0);
    assert_eq!(pool.open_jobs(), 0);
}
