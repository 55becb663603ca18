<?php
// What the Module Loader reads.

$manifest = [
    'acceptable_sugar_flavors' => ['CE'],
    'acceptable_sugar_versions' => ['regex_matches' => ['6\\.5\\..*']],
    'acceptable_suitecrm_versions' => ['regex_matches' => ['7\\..*', '8\\..*']],
    'author' => 'open-chat',
    'description' => 'A link on contacts, leads and accounts: open the chat with this client in SMSBAT ChatHub',
    'icon' => '',
    'is_uninstallable' => true,
    'name' => 'Open chat',
    'published_date' => '2026-11-26',
    'type' => 'module',
    'version' => '0.0.0',
    'readme' => 'README.md',
];

$installdefs = [
    'id' => 'open_chat',
    'copy' => [
        ['from' => '<basepath>/custom/openchat', 'to' => 'custom/openchat'],
        [
            'from' => '<basepath>/custom/Extension/application/Ext/EntryPointRegistry/openchat.php',
            'to' => 'custom/Extension/application/Ext/EntryPointRegistry/openchat.php',
        ],
    ],
];
