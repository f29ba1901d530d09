//! Boots throwaway machines.
