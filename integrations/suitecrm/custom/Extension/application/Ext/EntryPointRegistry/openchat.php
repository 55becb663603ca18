<?php
// index.php?entryPoint=openChat&module=Contacts&id=…, for users who are logged in.
$entry_point_registry['openChat'] = [
    'file' => 'custom/openchat/open.php',
    'auth' => true,
];
