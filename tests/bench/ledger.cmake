# What a hold and a settlement cost, and how long the disk and a settlement take: ledger_bench [--relaxed] [--spread]
# [CALLS]
add_executable(ledger_bench ${CMAKE_CURRENT_LIST_DIR}/ledger_bench.c)
target_link_libraries(ledger_bench PRIVATE anchorage_ledger)
add_test(NAME bench/ledger COMMAND ledger_bench)
add_test(NAME bench/ledger-spread COMMAND ledger_bench --spread)
set_tests_properties(bench/ledger bench/ledger-spread PROPERTIES LABELS bench)
# How long it takes to open books of the version before: migration_bench [ENTRIES]
add_executable(migration_bench ${CMAKE_CURRENT_LIST_DIR}/migration_bench.c)
target_link_libraries(migration_bench PRIVATE anchorage_ledger)
add_test(NAME bench/migration COMMAND migration_bench)
set_tests_properties(bench/migration PROPERTIES LABELS bench TIMEOUT 900)
