# The same checks as CI.
check:
    .ci/run

test:
    cargo test --release --workspace

bench:
    cargo bench -p offbeat-actors -p offbeat-learning

# Kills more than fifty runs at random moments, resumes them and compares all they leave.
kill:
    cargo test --release --workspace --test kill -- --ignored --nocapture
